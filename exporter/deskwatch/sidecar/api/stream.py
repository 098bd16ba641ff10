"""`WS /stream` and `GET /stream`: a snapshot, then what changes. See `deskwatch.sidecar.hub` for the messages.

A client that was connected before gives the cursor that it holds, and is told what it missed: by WebSocket in the
first frame after `/stream?resume=1`, else in `Last-Event-ID` or `cursor`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query, WebSocket
from fastapi.requests import HTTPConnection
from starlette.responses import StreamingResponse

from deskwatch.sidecar import hub
from deskwatch.sidecar.admission import SUBPROTOCOL, has_shown_token
from deskwatch.sidecar.api import sse
from deskwatch.sidecar.hub import TooManyClients
from deskwatch.sidecar.parts import Parts, Wired, may_read_bots, parts_of
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.streaming.cursor import MalformedCursor, Places, from_token, read
from deskwatch.sidecar.streaming.message import dropped
from deskwatch.sidecar.streaming.topic import Topic

router = APIRouter(tags=["stream"])

POLICY = 1008
TRY_AGAIN = 1013
RESUME_SECONDS = 5.0
"""How long a WebSocket that wants to resume may take to say from where."""

Names = Annotated[list[str] | None, Query(max_length=100)]


def topic_of(bot: Names = None, kind: Names = None) -> Topic:
    """What a request wants of the stream."""
    return Topic(frozenset(bot) if bot else None, frozenset(kind) if kind else None)


Wanted = Annotated[Topic, Depends(topic_of)]


@router.get("/stream", dependencies=[Depends(may_read_bots)])
async def stream_sse(
    connection: HTTPConnection,
    parts: Wired,
    topic: Wanted,
    cursor: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """The stream as server-sent events."""
    seen = _seen(last_event_id or cursor)
    try:
        parts.hub.admit(is_known=has_shown_token(connection))
    except TooManyClients:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"expected fewer than {hub.MAX_CLIENTS} stream clients; try later"
        ) from None
    return sse.respond(_events(connection, parts, topic, seen))


def _seen(token: str | None) -> Places | None:
    if not token:
        return None
    try:
        return from_token(token)
    except MalformedCursor as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None


async def _events(connection: HTTPConnection, parts: Parts, topic: Topic, seen: Places | None) -> AsyncIterator[bytes]:
    yield sse.RETRY
    try:
        with parts.hub.seat(topic, parts.cut(connection), is_known=has_shown_token(connection)) as reader:
            async with contextlib.aclosing(parts.hub.stream(reader, seen)) as messages:
                async for message in messages:
                    reader.sent += 1
                    yield message.as_event(reader.sent)
    except TooManyClients:  # another one was quicker
        yield dropped("full").as_event(1)


@router.websocket("/stream")
async def stream_websocket(socket: WebSocket, topic: Wanted, resume: bool = False) -> None:
    """The stream as WebSocket text frames. A page may open it only from the sidecar's own origin."""
    if not await _may_open(socket):
        await socket.close(POLICY)
        return
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope.get("subprotocols", ()) else None)
    seen, reset = None, None
    if resume:
        try:
            seen = await _asked(socket)
        except MalformedCursor as error:
            await socket.close(POLICY, str(error)[:120])
            return
        if seen is None:
            reset = f"expected a cursor in a first frame within {RESUME_SECONDS:.0f} s"
    tasks = {
        asyncio.create_task(_send(socket, topic, seen, reset)),
        asyncio.create_task(_wait_closed(socket)),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # a peer that went away is no error


async def _may_open(socket: WebSocket) -> bool:
    try:
        await may_read_bots(socket)  # the doorman has looked at its Origin
    except Problem:
        return False
    return True


async def _asked(socket: WebSocket) -> Places | None:
    """The cursor of a client's first frame; None if none comes in time, or the client leaves."""
    try:
        async with asyncio.timeout(RESUME_SECONDS):
            first = await socket.receive()
    except TimeoutError:
        return None
    if first["type"] == "websocket.disconnect":
        return None
    try:
        asked = msgspec.json.decode(first.get("text") or b"null")
    except (msgspec.DecodeError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or asked.get("type") != "resume":
        raise MalformedCursor('expected {"type":"resume","cursor":{…}} in the first frame')
    return read(asked.get("cursor"))


async def _send(socket: WebSocket, topic: Topic, seen: Places | None, reset: str | None) -> None:
    parts = parts_of(socket)
    try:
        with parts.hub.seat(topic, parts.cut(socket), is_known=has_shown_token(socket)) as reader:
            async with contextlib.aclosing(parts.hub.stream(reader, seen, reset)) as messages:
                async for message in messages:
                    reader.sent += 1
                    await socket.send_text(message.as_text(reader.sent))
            await socket.close(TRY_AGAIN, reader.reason)
    except TooManyClients:
        await socket.send_text(dropped("full").as_text(1))
        await socket.close(TRY_AGAIN, "full")


async def _wait_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
