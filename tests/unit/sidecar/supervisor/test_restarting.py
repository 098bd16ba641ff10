"""Restarts by the policy, and persons who come between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from deskwatch.sidecar.supervisor.faults import Overtaken
from deskwatch.supervised import Restart
from tests.unit.sidecar.supervisor.supervising import LAST, SAY, SECONDS, Said, down, lines, supervising, up
from tests.waiting import eventually_async

CRASH = SAY + "raise SystemExit(3)"
SOON: dict[str, Any] = {"restart": Restart.ON_FAILURE, "first_pause_seconds": 0.01, "most_pause_seconds": 0.02}
LATE: dict[str, Any] = {"restart": Restart.ON_FAILURE, "first_pause_seconds": 600.0, "most_pause_seconds": 600.0}


async def test_a_crash_loop_is_given_up_told_and_armed_again_by_a_persons_start(home: Path) -> None:
    said = Said()
    async with supervising(home, CRASH, said, **SOON, crash_limit=3) as one:
        await eventually_async(lambda: one.status.gave_up and said[-1].action == "give_up", SECONDS)
        assert one.status.restarts == 2
        assert not one.status.running
        assert said[-1].reason == "it ended 3 times within 300 s; a person has to start it"
        assert [event.action for event in said].count("start") == 3
        assert said[2].reason == "it ended with exit code 3"
        await one.start("operator")
        assert not one.status.gave_up
        await eventually_async(lambda: one.status.gave_up, SECONDS)
        assert one.status.restarts == 4


async def test_a_sidecar_that_stopped_starts_nothing_any_more(home: Path) -> None:
    async with supervising(home) as one:
        await up(one)
    with pytest.raises(Overtaken):
        await one.start("operator")
    assert not one.status.running


async def test_a_clean_end_is_left_unless_it_always_restarts(home: Path) -> None:
    async with supervising(home, SAY, **SOON) as one:
        await down(one)
        assert one.status.restart_at is None
    async with supervising(home, SAY, **{**SOON, "restart": Restart.ALWAYS}, crash_limit=3) as one:
        await eventually_async(lambda: one.status.gave_up, SECONDS)
        assert one.status.restarts == 2


async def test_a_persons_stop_or_kill_is_followed_by_no_restart(home: Path) -> None:
    for end in ("stop", "kill"):
        async with supervising(home, LAST, **{**SOON, "restart": Restart.ALWAYS}) as one:
            await one.start("operator")
            await getattr(one, end)("operator")
            assert one.status.restart_at is None
            assert one.status.restarts == 0


async def test_a_stop_during_the_pause_keeps_the_bot_down(home: Path) -> None:
    async with supervising(home, CRASH, **LATE) as one:
        await eventually_async(lambda: one.status.restart_at is not None, SECONDS)
        await one.stop("operator")
        assert one.status.restart_at is None
        assert one.status.held is not None


async def test_a_start_or_a_restart_during_the_pause_starts_at_once(home: Path) -> None:
    async with supervising(home, CRASH, **LATE) as one:
        for times, act in enumerate((one.start, one.restart, one.start), 2):
            await eventually_async(lambda: one.status.restart_at is not None, SECONDS)
            await act("operator")
            await up(one, times)
        assert one.status.restarts == 0


async def test_a_sidecar_that_stops_during_the_pause_starts_nothing(home: Path) -> None:
    said = Said()
    async with supervising(home, CRASH, said, **LATE) as one:
        await eventually_async(lambda: one.status.restart_at is not None, SECONDS)
    assert [event.action for event in said] == ["start", "exit"]
    assert not [task for task in asyncio.all_tasks() if "arb-1" in task.get_name()]


async def test_a_bot_that_a_person_stopped_stays_down_over_a_restart_of_the_sidecar(home: Path) -> None:
    async with supervising(home) as one:
        await up(one)
        await one.stop("operator", "rates look wrong")
    said = Said()
    async with supervising(home, LAST, said) as one:
        assert not one.status.running
        assert one.status.held is not None
        assert one.status.held.reason == "rates look wrong"
        assert said == []
        await one.start("operator")
        await up(one, 2)
    async with supervising(home) as one:
        assert one.status.running


async def test_many_hands_at_once_end_with_what_was_asked_last(home: Path) -> None:
    async with supervising(home, LAST, restart=Restart.ALWAYS, first_pause_seconds=0.01) as one:
        acts = (one.stop, one.start, one.restart, one.kill, one.start, one.stop, one.restart)
        await asyncio.gather(*(act("operator") for act in acts for _ in range(3)), return_exceptions=True)
        await one.stop("operator")
        assert not one.status.running
        assert one.status.held is not None
        await one.start("operator")
        before = len(lines(one))
        await eventually_async(lambda: len(lines(one)) >= max(1, before), SECONDS)
        assert one.status.running
