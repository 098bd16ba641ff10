"""`WS /stream` and `GET /stream`: a snapshot, then what changes. See `deskwatch.sidecar.hub` for the messages."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, WebSocket
from starlette.responses import StreamingResponse

from deskwatch.sidecar.api import sse
from deskwatch.sidecar.hub import MAX_CLIENTS, TooManyClients
from deskwatch.sidecar.parts import Wired, may_read, parts_of
from deskwatch.sidecar.problems import Problem

router = APIRouter(tags=["stream"])

POLICY = 1008
TRY_AGAIN = 1013


@router.get("/stream", dependencies=[Depends(may_read)])
async def stream_sse(parts: Wired) -> StreamingResponse:
    """The stream as server-sent events."""
    try:
        parts.hub.admit()
    except TooManyClients:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"expected fewer than {MAX_CLIENTS} stream clients; try later"
        ) from None
    return sse.respond(parts.hub.stream())


@router.websocket("/stream")
async def stream_websocket(socket: WebSocket) -> None:
    """The stream as WebSocket text frames. A page may open it only from the sidecar's own origin."""
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
        await socket.close(POLICY)
        return
    try:
        await may_read(socket)
    except Problem:
        await socket.close(POLICY)
        return
    await socket.accept()
    tasks = {asyncio.create_task(_send(socket)), asyncio.create_task(_wait_closed(socket))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # a peer that went away is no error


async def _send(socket: WebSocket) -> None:
    hub = parts_of(socket).hub
    messages = hub.stream()
    try:
        async with contextlib.aclosing(messages):
            async for message in messages:
                await socket.send_text(message.decode())
        await socket.close(TRY_AGAIN, "too slow")
    except TooManyClients:
        await socket.close(TRY_AGAIN, "too many clients")


async def _wait_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
