"""`GET /activity/…`: what happened lately, filtered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from deskwatch.projections.activity import Entry, Filter
from deskwatch.sidecar.api import sse
from deskwatch.sidecar.parts import Parts, Wired, as_json, may_read

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
async def stream(parts: Wired, query: Wanted, since: Annotated[int, Query(ge=0)] = 0) -> StreamingResponse:
    """Server-sent events: activity after position `since` that is still in memory, then as it happens."""
    return sse.respond(_follow(parts, query, since))


async def _follow(parts: Parts, query: Filter, since: int) -> AsyncIterator[bytes]:
    activity = parts.feed.projections.activity
    while True:
        entries = list(activity.since(since, query))
        since = activity.number
        for entry in entries:
            yield _encoder.encode(entry)
        if not await parts.feed.wait_for(partial(_is_behind, parts, since), IDLE_SECONDS):
            yield _encoder.encode({"type": "heartbeat", "position": since})


def _is_behind(parts: Parts, number: int) -> bool:
    return parts.feed.projections.activity.number > number


def _answer(position: int, entries: list[Entry]) -> Response:
    return as_json({"position": position, "events": entries})
