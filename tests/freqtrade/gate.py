"""A gate between deskwatch and freqtrade: it counts what is asked, and cuts WebSockets as networks do."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

_REQUEST = re.compile(rb"(GET|POST|DELETE) (/[^ ?]*)[^ ]* HTTP/1\.1\r\n")
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Asked(NamedTuple):
    """One request. `at` is monotonic seconds; the path is without `/api/v1` and without parameters."""

    at: float
    method: str
    path: str


class Gate:
    """Passes connections on to a port of this machine.

    Attributes:
        port: Where it listens.
        asked: Every request that came, WebSockets among them.
    """

    def __init__(self, behind: int) -> None:
        self.port = 0
        self.asked: list[Asked] = []
        self._behind = behind
        self._refuses_streams = False
        self._streams: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Its own."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def streams(self) -> int:
        """How many WebSockets are open."""
        return len(self._streams)

    def count(self, since: float, until: float) -> int:
        """How often something was asked between two moments, monotonic seconds; a WebSocket's begin is no question."""
        return sum(since <= one.at < until and one.path != "message/ws" for one in self.asked)

    @contextlib.contextmanager
    def without_streams(self) -> Iterator[None]:
        """Cut every WebSocket, in the middle of whatever it says, and let none through meanwhile."""
        assert self._loop is not None
        self._refuses_streams = True
        self._loop.call_soon_threadsafe(self._cut)
        try:
            yield
        finally:
            self._refuses_streams = False

    async def serve(self, closing: asyncio.Event, listening: threading.Event) -> None:
        """Pass on until it is closed."""
        self._loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._pass_both(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        await closing.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in self._streams:
            writer.transport.abort()

    async def _pass_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            with contextlib.closing(inner_writer):
                ways = {
                    asyncio.ensure_future(self._pass_requests(reader, inner_writer, writer)),
                    asyncio.ensure_future(_pass(inner_reader, writer)),
                }
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._streams.discard(writer)
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if back not in self._streams:  # what a WebSocket says is no request
                for method, path in _REQUEST.findall(data):
                    told = path.decode().removeprefix("/api/v1/")
                    self.asked.append(Asked(time.monotonic(), method.decode(), told))
                if b"upgrade: websocket" in data.lower():
                    if self._refuses_streams:
                        back.write(_REFUSED)
                        await back.drain()
                        return
                    self._streams.add(back)
            writer.write(data)
            await writer.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@contextlib.contextmanager
def gate(behind: int) -> Iterator[Gate]:
    """A gate for a port, in a thread of its own."""
    made, listening = Gate(behind), threading.Event()
    loop = asyncio.new_event_loop()
    closing = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(made.serve(closing, listening),), daemon=True)
    thread.start()
    assert listening.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()
        loop.close()
