"""A halt gets through: past commands that a disk holds up, and where the sidecar does not know all yet."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import BotStarted, CommandAccepted, Mode, ModeChanged
from deskwatch.sidecar import commanding as commanding_module
from tests.lines import events_in, write
from tests.unit.sidecar.serving import Desk, serving
from tests.waiting import eventually_async

HALT = {"mode": "halted"}


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, [BotStarted(pid=1, host="h", mode=Mode.ACTIVE), ModeChanged(mode=Mode.ACTIVE)])
    async with serving(home) as one:
        yield await one.caught_up()


def asked(home: Path) -> list[Any]:
    return [event.command for event in events_in(home, writer="control") if isinstance(event, CommandAccepted)]


async def test_a_disk_that_stalls_over_one_command_holds_up_no_halt_after_it(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written reaches the bot though the disk confirms nothing: a halt must not wait behind a ping."""
    monkeypatch.setattr(commanding_module, "SYNC_SECONDS", 0.2)
    disk, stalls = threading.Event(), threading.Event()
    real = os.fdatasync

    def stall(fd: int) -> None:
        stalls.set()
        disk.wait(60)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", stall)
    try:
        pings = [asyncio.create_task(desk.operate("POST", "/bots/arb-1/commands", {"type": "ping"})) for _ in range(20)]
        await eventually_async(stalls.is_set)
        answer = await asyncio.wait_for(desk.operate("PUT", "/bots/arb-1/mode", HALT), 30)
        assert answer.status_code == 202
        assert "Warning" in answer.headers
        assert asked(home)[-1] == "set_mode"
        assert {one.status_code for one in await asyncio.gather(*pings)} == {202}
        assert len(asked(home)) == 21
    finally:
        disk.set()
    await eventually_async(lambda: desk.parts.commanding.unsynced == set())


async def test_a_halt_is_taken_while_an_earlier_command_is_not_known_yet(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding_module, "VISIBLE_SECONDS", 0.05)
    monkeypatch.setattr(desk.parts.feed.projections.commands, "apply", lambda _: False)
    assert (await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"})).status_code == 202
    assert (await desk.operate("PUT", "/bots/arb-1/mode", HALT)).status_code == 202
    assert (await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "standby"})).status_code == 503
    assert asked(home) == ["set_mode", "set_mode"]


async def test_a_halt_is_taken_while_the_journals_are_still_being_read(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.parts.feed, "_check_caught_up", lambda: None)
    desk.parts.feed.caught_up.clear()
    assert (await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "standby"})).status_code == 503
    assert (await desk.operate("PUT", "/bots/arb-1/mode", HALT, Idempotency_Key="k")).status_code == 503
    assert (await desk.operate("PUT", "/bots/arb-1/mode", HALT)).status_code == 202
    assert asked(home) == ["set_mode"]


async def test_commands_that_wait_to_be_seen_hold_up_no_halt(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding_module, "VISIBLE_SECONDS", 1.0)
    monkeypatch.setattr(desk.parts.feed.projections.commands, "apply", lambda _: False)
    pings = [asyncio.create_task(desk.operate("POST", "/bots/arb-1/commands", {"type": "ping"})) for _ in range(20)]
    await eventually_async(lambda: asked(home))
    answer = await asyncio.wait_for(
        desk.operate("PUT", "/bots/arb-1/mode", HALT), 15
    )  # twenty seconds, if it waited for them
    assert answer.status_code == 202
    await asyncio.gather(*pings)
