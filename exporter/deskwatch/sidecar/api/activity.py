"""`GET /activity/…`: what happened lately, filtered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse

from deskwatch.projections.activity import Entry, Filter
from deskwatch.sidecar import hub
from deskwatch.sidecar.api import sse
from deskwatch.sidecar.hub import TooManyClients
from deskwatch.sidecar.parts import Parts, Wired, as_json, may_read
from deskwatch.sidecar.problems import Problem

router = APIRouter(prefix="/activity", tags=["activity"], dependencies=[Depends(may_read)])

MAX_LIMIT = 1000
IDLE_SECONDS = 15.0
_encoder = msgspec.json.Encoder()


def wanted(
    bot: str | None = None,
    kind: str | None = None,
    type: str | None = None,  # noqa: A002  the query's own word
    provider: str | None = None,
    symbol: str | None = None,
    level: Literal["debug", "info", "warning", "error", "critical"] | None = None,
) -> Filter:
    """The filter that a request's query asks for."""
    return Filter(bot=bot, kind=kind, type=type, provider=provider, symbol=symbol, level=level)


Wanted = Annotated[Filter, Depends(wanted)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@router.get("/recent")
async def recent(parts: Wired, query: Wanted, limit: Limit = 100) -> Response:
    """The newest events that pass the filter, newest first, each in its journal's words."""
    return _answer(parts.feed.projections.activity.number, parts.feed.projections.activity.newest(query, limit))


@router.get("/ai-decisions")
async def ai_decisions(parts: Wired, query: Wanted, limit: Limit = 100) -> Response:
    """The newest decisions, by `provider` where it is given."""
    decisions = msgspec.structs.replace(query, type="decision_made")
    return _answer(parts.feed.projections.activity.number, parts.feed.projections.activity.newest(decisions, limit))


@router.get("/stream")
async def stream(
    connection: HTTPConnection, parts: Wired, query: Wanted, since: Annotated[int, Query(ge=0)] = 0
) -> StreamingResponse:
    """Server-sent events: activity after position `since` that is still in memory, then as it happens."""
    try:
        parts.hub.admit()
    except TooManyClients:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"expected fewer than {hub.MAX_CLIENTS} stream clients; try later"
        ) from None
    return sse.respond(_follow(connection, parts, query, since))


async def _follow(connection: HTTPConnection, parts: Parts, query: Filter, since: int) -> AsyncIterator[bytes]:
    activity, loop = parts.feed.projections.activity, asyncio.get_running_loop()
    with parts.hub.seat(cut=parts.cut(connection)) as reader:
        while reader.reason is None:
            entries: list[object] = list(activity.since(since, query))
            since = activity.number
            for entry in entries or [{"type": "heartbeat", "position": since}]:
                reader.sending_since = loop.time()
                yield sse.event(_encoder.encode(entry))
                reader.sending_since = None
            await parts.feed.wait_for(partial(_is_behind, parts, since), IDLE_SECONDS)


def _is_behind(parts: Parts, number: int) -> bool:
    return parts.feed.projections.activity.number > number


def _answer(position: int, entries: list[Entry]) -> Response:
    return as_json({"position": position, "events": entries})
