"""A bot's event loop, asked how late it is."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from deskwatch.events import HeartbeatSent
from deskwatch.journal import read
from deskwatch.listener import Listener
from deskwatch.recorder import Recorder
from tests.lines import BOT, lines_in
from tests.waiting import eventually_async


async def test_a_loop_that_runs_is_not_late() -> None:
    listener = Listener(asyncio.get_running_loop(), asyncio.Event())
    assert listener.lag_seconds() is None
    await asyncio.sleep(0)
    lag = listener.lag_seconds()
    assert lag is not None
    assert 0 <= lag < 5


async def test_a_blocked_loop_shows_by_a_lag_that_grows_and_stays_known_afterwards() -> None:
    listener = Listener(asyncio.get_running_loop(), asyncio.Event())
    seen: list[float | None] = []

    def look() -> None:
        for _ in range(3):
            seen.append(listener.lag_seconds())
            time.sleep(0.02)

    other = threading.Thread(target=look)
    other.start()
    other.join()  # the loop is blocked meanwhile
    assert seen[0] is None
    assert 0.01 < (seen[1] or 0) < (seen[2] or 0)
    await asyncio.sleep(0)
    assert (listener.lag_seconds() or 0) >= (seen[2] or 0)


async def test_it_wakes_its_loop_from_another_thread() -> None:
    woken = asyncio.Event()
    await asyncio.to_thread(Listener(asyncio.get_running_loop(), woken).wake)
    await asyncio.wait_for(woken.wait(), 30)


def test_a_closed_loop_is_no_trouble() -> None:
    loop = asyncio.new_event_loop()
    listener = Listener(loop, asyncio.Event())
    loop.close()
    listener.wake()
    assert listener.lag_seconds() is None
    assert listener.lag_seconds() is None


def test_what_a_loop_answered_before_it_was_closed_is_told_no_more() -> None:
    loop = asyncio.new_event_loop()
    listener = Listener(loop, asyncio.Event())
    listener.lag_seconds()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert listener.lag_seconds() is None


async def test_heartbeats_tell_the_lag_of_a_bot_that_waits_for_commands(recorder: Recorder, home: Path) -> None:

    async def wait() -> None:
        async for _ in recorder.commands():
            pass

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)

    def lags() -> list[float]:
        recorder._beat()
        beats = [read(line, BOT, "main").event for line in lines_in(home)]
        found = [one.loop_lag_seconds for one in beats if isinstance(one, HeartbeatSent)]
        return [lag for lag in found if lag is not None]

    await eventually_async(lags)
    waiting.cancel()
    assert min(lags()) >= 0
