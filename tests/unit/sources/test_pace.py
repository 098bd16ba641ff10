"""How often a peer is asked."""

from __future__ import annotations

import asyncio
import time

import pytest

from deskwatch.sources import pace
from deskwatch.sources.pace import Pace


class Clock:
    """A clock that goes on when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(pace, "time", self)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_on_average_it_is_as_many_as_was_said(clock: Clock) -> None:
    """After a burst."""
    turns = Pace(per_second=2.0, burst=5.0)
    for _ in range(5):
        await turns.turn()
    assert clock.now == 100.0
    for _ in range(20):
        await turns.turn()
    assert clock.now == pytest.approx(110.0)


async def test_what_was_not_used_is_kept_up_to_the_burst(clock: Clock) -> None:
    turns = Pace(per_second=1.0, burst=3.0)
    clock.now += 1000.0
    for _ in range(4):
        await turns.turn()
    assert clock.now == pytest.approx(1101.0)


@pytest.mark.parametrize(("commands", "after"), [(1, 0.0), (3, 2.0), (100, 5.0)])
async def test_a_command_does_not_wait_and_what_comes_after_it_does(clock: Clock, commands: int, after: float) -> None:
    """But not for minutes, however many they are."""
    turns = Pace(per_second=1.0, burst=3.0)
    for _ in range(commands):
        await turns.turn(urgent=True)
    assert clock.now == 100.0
    for _ in range(2):
        await turns.turn()
    assert clock.now == pytest.approx(100.0 + after)


async def test_commands_without_end_keep_nobody_from_looking_for_good(clock: Clock, monkeypatch) -> None:
    """One that reduces to flat asks for exits again and again; a source that looks at nothing would seem dead."""
    turns = Pace(per_second=1.0, burst=10.0)

    async def sleep(seconds: float) -> None:
        for _ in range(10):
            clock.now += min(seconds, 0.5) / 10
            await turns.turn(urgent=True)
        assert clock.now < 1000.0, "it waits for ever"

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(10):
        await turns.turn()
    began = clock.now
    for _ in range(3):
        await turns.turn()
    assert clock.now - began <= 3 * 10.5


async def test_one_that_gives_up_waiting_holds_up_nobody() -> None:
    turns = Pace(per_second=20.0, burst=1.0)
    await turns.turn()
    waiting = asyncio.create_task(turns.turn())
    await asyncio.sleep(0)
    waiting.cancel()
    began = time.monotonic()
    await turns.turn()
    assert time.monotonic() - began >= 0.02
