"""A reverse proxy that knows no WebSockets, as some company networks have them: an upgrade is answered with 403."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes connections on to a port of this machine.

    Attributes:
        refuses: Whether upgrades are refused.
        refused: How many were.
    """

    def __init__(self, behind: int) -> None:
        self.refuses = True
        self.refused = 0
        self._behind = behind

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            if self.refuses and b"upgrade: websocket" in head.lower():
                self.refused += 1
                writer.write(REFUSED)
                await writer.drain()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            with contextlib.closing(inner_writer):
                inner_writer.write(head)
                ways = {
                    asyncio.ensure_future(_pass(reader, inner_writer)),
                    asyncio.ensure_future(_pass(inner_reader, writer)),
                }
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def proxy(behind: int) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy for a port, and the port that it listens on."""
    made = Proxy(behind)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(made.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
