"""The stream of a real sidecar: clients that are torn off, and sidecars that are killed, lose and double nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deskwatch import LogRecorded, PriceObserved, Recorder
from tests import running
from tests.running import Http, free_port
from tests.soak import count
from tests.streaming import Held, by_events, by_websocket, ids_in
from tests.waiting import eventually, eventually_async

BOTS = ("arb-1", "arb-2")
CLIENTS = 4
PAUSE_SECONDS = 0.004


@contextlib.contextmanager
def emitting(home: Path) -> Iterator[None]:
    """Two bots that journal all the time."""
    done = threading.Event()

    def emit(bot: str) -> None:
        with Recorder.open(bot, home=home) as recorder:
            number = 0
            while not done.wait(PAUSE_SECONDS):
                number += 1
                recorder.emit(PriceObserved(venue="v", symbol="ETH", price=3000.0 + number))
                recorder.emit(LogRecorded(message=f"note {number}", levelname="INFO", name="n"))

    threads = [threading.Thread(target=emit, args=(bot,)) for bot in BOTS]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


class Sidecar:
    """A sidecar that can be killed and started again on the same port."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = free_port()
        self._stack = contextlib.ExitStack()
        self.http = Http(f"http://127.0.0.1:{self._port}", home)

    def start(self) -> None:
        argv = ["-m", "deskwatch", "sidecar", "--home", str(self._home), "--port", str(self._port)]
        self._child = self._stack.enter_context(
            running.process([sys.executable, *argv], self._home.parent / "sidecar.out")
        )
        eventually(lambda: self.http.try_get("/readyz"), 20)

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def sidecar(home: Path) -> Iterator[Sidecar]:
    one = Sidecar(home)
    try:
        one.start()
        yield one
    finally:
        one.close()


async def torn_off_often(road: Any, url: str, held: Held, times: int, chance: random.Random) -> None:
    """Connect, read a while, and be torn off; and so on."""
    torn = 0
    while torn < times:
        try:
            async with road(url, held) as messages:
                for _ in range(chance.randrange(1, 15)):
                    await anext(messages)
            torn += 1
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError):
            await asyncio.sleep(0.05)  # the sidecar was killed, and comes back
        except Exception as error:  # a WebSocket's own words for the same
            if not type(error).__module__.startswith("websockets"):
                raise
            await asyncio.sleep(0.05)


async def read_on(road: Any, url: str, held: Held, home: Path) -> None:
    """Read until everything has come."""
    wanted = len(ids_in(home))
    async with road(url, held) as messages:
        async for _ in messages:
            if len(held.ids) >= wanted and all(held.bots.get(bot, {}).get("running") is False for bot in BOTS):
                return


def have_resumed(clients: list[tuple[Any, Held]], tasks: list[asyncio.Task[None]], times: float) -> bool:
    for task in tasks:
        if task.done():
            task.result()  # raises what ended it: there is nothing to wait for then
    return all(held.resumed >= times for _, held in clients)


async def test_who_is_torn_off_at_random_misses_nothing_and_gets_nothing_twice(home: Path, sidecar: Sidecar) -> None:
    """Also when the sidecar is killed meanwhile; and the state in the end is that of /snapshot."""
    times, chance = count(200, 1000), random.Random(5)
    clients = [(road, Held()) for road in (by_websocket, by_events) for _ in range(CLIENTS // 2)]
    for road, held in clients:
        async with road(sidecar.http.url, held) as messages:  # before there is anything
            assert (await anext(messages))["type"] == "snapshot"
    with emitting(home):
        tasks = [
            asyncio.create_task(
                torn_off_often(road, sidecar.http.url, held, times // CLIENTS, random.Random(chance.random()))
            )
            for road, held in clients
        ]
        for share in (0.3, 0.6):
            goal = share * times / CLIENTS
            await eventually_async(partial(have_resumed, clients, tasks, goal), 60)
            await asyncio.to_thread(sidecar.kill)
            await asyncio.to_thread(sidecar.start)
        await asyncio.gather(*tasks)
    expected = ids_in(home)
    for road, held in clients:
        await read_on(road, sidecar.http.url, held, home)
        assert held.resets == []
        assert held.resumed > times // CLIENTS // 2
        assert [one for one, often in Counter(held.ids).items() if often > 1] == []
        assert set(held.ids) == set(expected)
        for bot in BOTS:
            mine = [one for one in held.ids if one.startswith(f"{bot}/main/")]
            assert mine == [one for one in expected if one.startswith(f"{bot}/main/")]
        snapshot = sidecar.http.get("/snapshot")
        assert held.bots == {bot["bot"]: bot for bot in snapshot["bots"]}


def frozen(url: str, *, websocket: bool) -> socket.socket:
    """A client that asks for the stream and reads nothing of it but its head."""
    place = urlsplit(url)
    client = socket.create_connection((place.hostname, place.port))
    head = f"GET /stream HTTP/1.1\r\nHost: {place.netloc}\r\n"
    if websocket:
        head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head += f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
    client.sendall(head.encode() + b"\r\n")
    assert client.recv(12).startswith(b"HTTP/1.1 " + (b"101" if websocket else b"200"))
    return client


async def test_frozen_clients_are_dropped_and_the_others_get_everything(home: Path, sidecar: Sidecar) -> None:
    """They stop reading while much happens; that the system still takes what they are sent hides it from nobody."""
    clients = [(road, Held()) for road in (by_websocket, by_events) for _ in range(2)]
    done = asyncio.Event()

    async def read(road: Any, held: Held) -> None:
        async with road(sidecar.http.url, held) as messages:
            async for message in messages:
                if done.is_set() and message["type"] == "heartbeat" and len(held.ids) >= len(ids_in(home)):
                    return

    reading = [asyncio.create_task(read(road, held)) for road, held in clients]
    await eventually_async(lambda: all(held.cursor is not None for _, held in clients), 20)
    stuck = [frozen(sidecar.http.url, websocket=number % 2 == 0) for number in range(4)]
    try:
        with Recorder.open("arb-1", home=home) as recorder:

            def until_they_are_dropped() -> None:
                eventually(are_dropped, 30)

            def are_dropped() -> bool:
                for _ in range(20):
                    recorder.emit(LogRecorded(message="x" * 2000, levelname="INFO", name="n"))
                return "deskwatch_stream_clients 4.0\n" in sidecar.http.metrics()

            await asyncio.to_thread(until_they_are_dropped)
        done.set()
        await asyncio.wait_for(asyncio.gather(*reading), 30)
    finally:
        for client in stuck:
            client.close()
    for _, held in clients:
        assert held.ids == ids_in(home)
    drops = re.findall(r'deskwatch_stream_drops_total{reason="slow"} (\d+)', sidecar.http.metrics())
    assert int(drops[0]) >= 2  # a WebSocket may be ended for not answering a ping before
