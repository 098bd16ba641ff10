"""Clients of the stream that hold what they were told, and go on from there: by WebSocket and by server-sent events."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from deskwatch.journal import names
from deskwatch.projections.activity import _NOT_ACTIVITY
from tests.waiting import patience

SECONDS = 20.0
"""How long a message may take to come."""


class Held:
    """What a client knows: every event by its id, every bot's state, and the cursor."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.bots: dict[str, Any] = {}
        self.cursor: dict[str, str] | None = None
        self.resets: list[str] = []
        self.resumed = 0
        self.last_id: str | None = None
        self._n = self._position = 0

    def connected(self) -> None:
        """A connection begins."""
        self._n = self._position = 0

    def take(self, message: dict[str, Any]) -> None:
        """Take in a message of the stream."""
        self._n += 1
        assert message["n"] == self._n, f"expected message {self._n}, was {message['n']}"
        kind = message["type"]
        assert message.get("position", self._position) >= self._position
        self._position = message.get("position", self._position)
        if kind == "snapshot":
            if message["reset"] is not None:
                self.resets.append(message["reset"])
            self.cursor = message["cursor"]
        elif kind == "resumed":
            self.resumed += 1
        if "cursor" in message:
            self.cursor = {**(self.cursor or {}), **message["cursor"]}
        if kind in ("snapshot", "resumed"):
            self.bots = {bot["bot"]: bot for bot in message["bots"]}
        elif kind == "state":
            self.bots.update({bot["bot"]: bot for bot in message["bots"]})
        elif kind == "events":
            self.ids += [event["id"] for event in message["events"]]


@contextlib.asynccontextmanager
async def by_websocket(url: str, held: Held, query: str = "") -> AsyncIterator[AsyncGenerator[Any, None]]:
    """Messages of a WebSocket that resumes; it is torn off at the end, without a goodbye."""
    resume = held.cursor is not None
    target = f"ws://{urlsplit(url).netloc}/stream?{query}{'&resume=1' if resume else ''}"
    async with asyncio.timeout(SECONDS * patience()):
        socket = await connect(target, compression=None, max_size=None, ping_interval=None)

    async def messages() -> AsyncGenerator[Any, None]:
        while True:
            async with asyncio.timeout(SECONDS * patience()):
                text = await socket.recv()
            message = json.loads(text)
            held.take(message)
            yield message

    held.connected()
    try:
        if resume:
            await socket.send(json.dumps({"type": "resume", "cursor": held.cursor}))
        yield messages()
    finally:
        socket.transport.abort()
        await socket.wait_closed()


@contextlib.asynccontextmanager
async def by_events(url: str, held: Held, query: str = "") -> AsyncIterator[AsyncGenerator[Any, None]]:
    """Messages of server-sent events, resumed by `Last-Event-ID`, as a browser does it; torn off at the end."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=2**24)
    head = f"GET /stream?{query} HTTP/1.1\r\nHost: {place.netloc}\r\n"
    if held.last_id is not None:
        head += f"Last-Event-ID: {held.last_id}\r\n"

    async def messages() -> AsyncGenerator[Any, None]:
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        text = b""
        while True:
            async with asyncio.timeout(SECONDS * patience()):
                size = int(await reader.readline(), 16)
                text += (await reader.readexactly(size + 2))[:-2]
            *events, text = text.split(b"\n\n")
            for event in events:
                fields = dict(line.split(b": ", 1) for line in event.split(b"\n"))
                if b"data" not in fields:
                    continue
                message = json.loads(fields[b"data"])
                held.take(message)
                if b"id" in fields:
                    held.last_id = fields[b"id"].decode()
                    assert cursor_of(held.last_id) == held.cursor
                yield message

    held.connected()
    try:
        writer.write(head.encode() + b"\r\n")
        yield messages()
    finally:
        writer.transport.abort()


def cursor_of(token: str) -> Any:
    """What an event's `id:` says."""
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def ids_in(home: Path) -> list[str]:
    """Ids of all activity that the journals of a home hold, as their files say, whatever the sidecar thinks."""
    found = []
    for bot in names.bots(home):
        for writer in names.writers(home, bot):
            folder = names.writer_folder(home, bot, writer)
            for segment in names.segments(folder):
                offset = 0
                for line in (folder / names.segment_name(segment)).read_bytes().splitlines(keepends=True):
                    if json.loads(line)["type"] not in _NOT_ACTIVITY:
                        found.append(f"{bot}/{writer}/{segment}.{offset}")
                    offset += len(line)
    return found
