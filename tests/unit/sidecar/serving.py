"""A sidecar within the test's own event loop, asked as its users ask it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from deskwatch.config import Settings
from deskwatch.sidecar.app import create
from deskwatch.sidecar.parts import Parts
from deskwatch.sources.kinds import Assigned
from deskwatch.supervised import Supervised
from tests.waiting import eventually_async

BASE = "http://127.0.0.1:9464"
READER = "r" * 20
"""The read token where there is one."""


class Desk:
    """A running sidecar and a client of it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, home: Path) -> None:
        self.app = app
        self.home = home
        self.parts: Parts = app.state.parts
        self._client = client

    @property
    def operator(self) -> dict[str, str]:
        """The operator's header."""
        return {"Authorization": f"Bearer {(self.home / 'token').read_text().strip()}"}

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request without a token."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            named.setdefault("Content-Type", "application/json")
        return await self._client.request(method, path, content=content, headers=named)

    async def operate(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request with the operator's token."""
        return await self.ask(method, path, body, **self.operator, **headers)

    async def caught_up(self) -> Desk:
        """Wait until the journals are folded in."""
        await eventually_async(self.parts.feed.caught_up.is_set)
        return self


@contextlib.asynccontextmanager
async def serving(
    home: Path,
    supervised: Supervised | tuple[str, list[str]] | None = None,
    sources: Sequence[Assigned] = (),
    **settings: Any,
) -> AsyncIterator[Desk]:
    """A sidecar on a home, with its parts running."""
    if isinstance(supervised, tuple):
        supervised = Supervised(bot=supervised[0], command=tuple(supervised[1]))
    app = create(Settings(home=home, **settings), *([supervised] if supervised is not None else []), sources=sources)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE) as client,
    ):
        yield Desk(app, client, home)


class Connection:
    """One streaming answer or WebSocket, driven by the ASGI messages themselves."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def message(self, seconds: float = 30.0) -> dict[str, Any]:
        """The next message of the app."""
        return await asyncio.wait_for(self.sent.get(), seconds)

    async def json(self) -> Any:
        """The JSON of the app's next frame or server-sent event."""
        message = await self.message()
        if message.get("body", b"").startswith(b"retry:"):
            message = await self.message()
        if "text" in message:
            return json.loads(message["text"])
        *_, data = message["body"].decode().removesuffix("\n\n").split("\n")
        assert data.startswith("data: ")
        return json.loads(data[6:])

    def say(self, text: str) -> None:
        """Send a text frame."""
        self.received.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        """Go away, as a client does."""
        self.received.put_nowait({"type": "http.disconnect"})
        self.received.put_nowait({"type": "websocket.disconnect", "code": 1001})


@contextlib.asynccontextmanager
async def connected(desk: Desk, kind: str, target: str, **headers: str) -> AsyncIterator[Connection]:
    """Open a stream: `http` for server-sent events, `websocket` for a WebSocket."""
    connection = Connection()
    path, _, query = target.partition("?")
    raw = {"host": "127.0.0.1:9464", **headers}
    scope = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in raw.items()],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 9464),
        "subprotocols": [one.strip() for one in raw.get("sec-websocket-protocol", "").split(",") if one],
        "state": {},
    }
    opening = {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}
    connection.received.put_nowait(opening)
    if kind == "websocket":
        del scope["method"]
    task = asyncio.create_task(desk.app(scope, connection.received.get, connection.sent.put))  # type: ignore[arg-type]  # queues of messages
    try:
        yield connection
    finally:
        connection.leave()
        await asyncio.wait([task], timeout=30)
        assert task.done(), "the app went on after its client left"
        task.result()
