"""A sidecar's stream, `/snapshot` and `/activity/since` for tests in which the fault is the point.

It keeps one bot's events as the journal would, so that whatever road a client takes, what it was told can be held
against them. It runs on the test's own event loop.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

WRITER = "arb-1/main"
LINE = 100
"""Bytes of a line in this journal."""


class FakeSidecar:
    """What is served, and how it misbehaves.

    Attributes:
        events: All events so far, oldest first.
        streams: Whether WebSockets are opened; with the status that is answered where not.
        polls: Whether HTTP is answered; else with the status.
        beats: Whether heartbeats are sent.
        page: Events on a page of `/activity/since`.
        cursors: The cursor of each `resume` frame.
        wants: The Authorization header that is asked for; None for none.
        reset: What a resume is refused with; None where it is possible.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.streams = 200
        self.polls = 200
        self.beats = True
        self.page = 3
        self.cursors: list[dict[str, str]] = []
        self.wants: str | None = None
        self.reset: str | None = None
        self.connections: set[ServerConnection] = set()
        self.polled = 0
        self.url = ""
        self._numbers: dict[ServerConnection, int] = {}
        self._told: dict[ServerConnection, int] = {}

    def emit(self, count: int = 1) -> None:
        """Journal events; streams are told at the next turn of the loop that serves them."""
        for _ in range(count):
            place = len(self.events) * LINE
            entry = {"id": f"{WRITER}/1.{place}", "bot": "arb-1", "kind": "orders", "type": "order_filled"}
            self.events.append({**entry, "ts": place, "raw": {"type": "order_filled", "seq": place // LINE}})

    def states(self) -> list[dict[str, Any]]:
        """The bots' states."""
        return [{"bot": "arb-1", "mode": {"actual": "active"}, "counts": {"events": len(self.events)}, "new": {"x": 1}}]

    def snapshot(self, **more: object) -> dict[str, Any]:
        """All there is."""
        told = {"epoch": "e", "position": len(self.events), "cursor": self.cursor(), "now": 1.5}
        return {**told, "bots": self.states(), **more}

    def cursor(self, at: int | None = None) -> dict[str, str]:
        """The place after so many events, or after all."""
        return {WRITER: f"1.{(len(self.events) if at is None else at) * LINE}"}

    async def send(self, connection: ServerConnection, kind: str, **fields: object) -> None:
        """Send one numbered message."""
        self._numbers[connection] = self._numbers.get(connection, 0) + 1
        await connection.send(json.dumps({"type": kind, "n": self._numbers[connection], **fields}))

    def skip_number(self) -> None:
        """Let each connection miss one message."""
        for connection in self.connections:
            self._numbers[connection] += 1

    async def break_off(self, *, in_frame: bool = False) -> None:
        """Break all connections without a close frame; in the middle of a frame where that is asked for."""
        for connection in list(self.connections):
            if in_frame:
                connection.transport.write(b"\x81\x7e\x10\x00" + b'{"type":"events","n":')
                await asyncio.sleep(0)
            connection.transport.abort()

    async def serve(self, connection: ServerConnection) -> None:
        """One stream."""
        self.connections.add(connection)
        try:
            query = parse_qs(urlsplit(connection.request.path if connection.request else "").query)
            await self._begin(connection, resumes="resume" in query)
            while connection.state is State.OPEN:
                await self._tell(connection)
                await asyncio.sleep(0.01)
        except (ConnectionClosed, OSError):
            pass
        finally:
            self.connections.discard(connection)

    async def _begin(self, connection: ServerConnection, *, resumes: bool) -> None:
        if resumes:
            cursor = json.loads(await asyncio.wait_for(connection.recv(), 1))["cursor"]
            self.cursors.append(cursor)
            if self.reset is None:
                self._told[connection] = place(cursor)
                await self.send(connection, "resumed", position=len(self.events), bots=self.states())
                return
        self._told[connection] = len(self.events)
        await self.send(connection, "snapshot", **self.snapshot(reset=self.reset if resumes else None))

    async def _tell(self, connection: ServerConnection) -> None:
        at, end = self._told[connection], len(self.events)
        if at < end:
            self._told[connection] = end
            fresh = self.events[at:end]
            await self.send(connection, "events", position=end, cursor=self.cursor(end), events=fresh, replayed=False)
            await self.send(connection, "state", position=end, bots=self.states())
        elif self.beats:
            await self.send(connection, "heartbeat", position=end, now=2.5)
            await self.send(connection, "something_new", about=[1, 2])

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """A plain HTTP answer, or None to open a WebSocket."""
        parts = urlsplit(request.path)
        if parts.path == "/stream":
            status = 401 if self.wants not in (None, request.headers.get("Authorization")) else self.streams
            return None if status == 200 else _json(status, {"detail": "no stream"})
        self.polled += 1
        if self.polls != 200:
            return _json(self.polls, {"detail": "not now"})
        if self.wants not in (None, request.headers.get("Authorization")):
            return _json(401, {"detail": "expected a token that may read"})
        if parts.path == "/activity/since":
            token = parse_qs(parts.query)["cursor"][0]
            at = place(json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))
            end = min(len(self.events), at + self.page)
            return _json(200, {"position": end, "cursor": self.cursor(end), "events": self.events[at:end]})
        return _json(200, self.snapshot())


def place(cursor: dict[str, str]) -> int:
    """How many events are before a cursor."""
    return int(cursor.get(WRITER, "1.0").partition(".")[2]) // LINE


@contextlib.asynccontextmanager
async def running(port: int = 0, fake: FakeSidecar | None = None) -> AsyncIterator[FakeSidecar]:
    """A fake on a loopback port; given a fake again, it goes on with what that one holds."""
    fake = fake or FakeSidecar()
    server: Server
    async with serve(
        fake.serve, "127.0.0.1", port, process_request=fake.answer, ping_interval=None, close_timeout=0.2
    ) as server:
        fake.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield fake


def _json(status: int, body: object) -> Response:
    content = json.dumps(body).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"})
    return Response(status, HTTPStatus(status).phrase, headers, content)
