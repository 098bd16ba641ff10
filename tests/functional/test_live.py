"""`deskwatch.live` against a real sidecar that is killed: no event is missed, none comes twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from deskwatch import EquityObserved, OrderSubmitted, Recorder
from deskwatch.errors import NotAllowed
from deskwatch.live import Entry, Live, Pace, connect
from tests import running
from tests.fakes.proxy import proxy
from tests.soak import count
from tests.waiting import eventually_async

PACE = Pace(first_retry_seconds=0.05, most_retry_seconds=0.5, poll_seconds=0.2)
KILLS = count(4, 40)


class Trading:
    """A bot that journals orders until it is told to end."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.orders = 0

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(0.005):
            self.orders += 1
            self._recorder.emit(
                OrderSubmitted(order_id=str(self.orders), venue="v", symbol="ETH/USDC", side="buy", quantity=1.0)
            )


async def _read(live: Live, into: list[Entry], resets: list[str]) -> None:
    async for change in live:
        into += change.events
        if change.reset is not None:
            resets.append(change.reset)


def _orders(entries: list[Entry]) -> list[int]:
    return [int(entry.fields["order_id"]) for entry in entries if entry.type == "order_submitted"]


async def test_killed_and_started_again_the_sidecar_is_followed_without_gap_or_duplicate(home: Path):
    """After every SIGKILL the events go on where they were, and at the end the state is the sidecar's."""
    port = running.free_port()
    argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--port", str(port)]
    entries: list[Entry] = []
    resets: list[str] = []
    with Recorder.open("arb-1", home=home) as recorder:
        trading = Trading(recorder)
        async with connect(f"http://127.0.0.1:{port}", pace=PACE, kinds=["orders"]) as live:
            reading = asyncio.create_task(_read(live, entries, resets))
            for at in range(KILLS):
                with running.process(argv, home / "sidecar.out") as child:
                    await eventually_async(lambda: live.road == "stream", 30)
                    if at == 0:
                        await eventually_async(lambda: live.cursor is not None, 30)
                        trading.start()
                    before = len(entries)
                    await eventually_async(lambda before=before: len(entries) > before + 20, 30)  # type: ignore[misc]  # bound at once
                    os.kill(child.pid, signal.SIGKILL)
                    await asyncio.to_thread(child.wait)
                await eventually_async(lambda: live.road == "down", 30)
            with running.process(argv, home / "sidecar.out"):
                trading.end()
                await eventually_async(lambda: len(_orders(entries)) >= trading.orders, 30)
                sidecar = running.Http(live.access.url, home)
                told = await asyncio.to_thread(sidecar.bot)
                submitted = trading.orders
                await eventually_async(lambda: live.bots["arb-1"].counts.orders_submitted == submitted, 30)
                assert live.bots["arb-1"].counts.orders_submitted == told["counts"]["orders_submitted"]
            reading.cancel()
    assert _orders(entries) == list(range(1, trading.orders + 1))
    assert len({entry.id for entry in entries}) == len(entries)
    assert resets == []


async def test_a_wrong_token_is_told_by_the_real_sidecar(home: Path):
    """Over WebSocket and over HTTP: an exception, not silence."""
    with running.sidecar(home) as sidecar:
        async with connect(sidecar.url, token="w" * 20, pace=PACE) as live:
            with pytest.raises(NotAllowed):
                await asyncio.wait_for(_until_error(live), 20)


async def _until_error(live: Live) -> None:
    async for _ in live:
        pass


async def test_a_cursor_of_another_day_is_gone_on_from(home: Path):
    """What happened while nobody read is told first; observations are state and no events."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        trading = Trading(recorder)
        async with connect(sidecar.url, pace=PACE) as live:
            await asyncio.wait_for(anext(live), 20)
            await eventually_async(lambda: live.road == "stream" and "arb-1" in live.bots, 20)
            reading = asyncio.create_task(_read(live, [], []))
            await eventually_async(lambda: live.cursor is not None, 20)
            reading.cancel()
        cursor = live.cursor
        trading.start()
        await eventually_async(lambda: trading.orders > 50, 20)
        trading.end()
        recorder.emit(EquityObserved(equity=1.0, asset="USDC"))
        entries: list[Entry] = []
        async with connect(sidecar.url, pace=PACE, cursor=cursor) as live:
            reading = asyncio.create_task(_read(live, entries, []))
            await eventually_async(lambda: len(_orders(entries)) >= trading.orders, 20)
            reading.cancel()
        assert _orders(entries) == list(range(1, trading.orders + 1))
        assert {entry.type for entry in entries} == {"order_submitted"}


async def test_where_no_websocket_can_be_had_it_polls_and_goes_back_when_one_can(home: Path):
    """From polling to the stream nothing is missed and nothing comes twice."""
    entries: list[Entry] = []
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        trading = Trading(recorder)
        async with (
            proxy(int(sidecar.url.rpartition(":")[2])) as (between, port),
            connect(f"http://127.0.0.1:{port}", pace=PACE, kinds=["orders"]) as live,
        ):
            reading = asyncio.create_task(_read(live, entries, []))
            await eventually_async(lambda: live.cursor is not None and live.road == "polling", 30)
            trading.start()
            await eventually_async(lambda: len(_orders(entries)) > 50, 30)
            assert live.road == "polling"
            assert between.refused > 0
            between.refuses = False
            await eventually_async(lambda: live.road == "stream", 30)
            before = len(entries)
            await eventually_async(lambda: len(entries) > before + 50, 30)
            trading.end()
            await eventually_async(lambda: len(_orders(entries)) >= trading.orders, 30)
            reading.cancel()
    assert _orders(entries) == list(range(1, trading.orders + 1))
