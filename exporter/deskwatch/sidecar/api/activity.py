"""`GET /activity/…`: what happened, filtered: lately from memory, earlier from the journals.

A page tells where the `next` one begins; the last has none. A page may hold fewer events than asked for, or none,
though there is a next one: what is read for one answer is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse

from deskwatch.projections.activity import Filter
from deskwatch.sidecar import hub
from deskwatch.sidecar.admission import has_shown_token
from deskwatch.sidecar.api import sse
from deskwatch.sidecar.hub import TooManyClients
from deskwatch.sidecar.parts import Parts, Wired, as_json, may_read_bots
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.streaming import history, onwards, outcomes
from deskwatch.sidecar.streaming.cursor import MalformedCursor, Place, Places, from_token, shown, token
from deskwatch.sidecar.streaming.history import Page
from deskwatch.sidecar.streaming.replay import Gone

router = APIRouter(prefix="/activity", tags=["activity"], dependencies=[Depends(may_read_bots)])

MAX_LIMIT = 1000
IDLE_SECONDS = 15.0
_LAST_NS = 2**63 - 1
_encoder = msgspec.json.Encoder()

Name = Annotated[str | None, Query(max_length=200)]
Nanoseconds = Annotated[int | None, Query(ge=0, le=_LAST_NS)]


def wanted(
    bot: Name = None,
    kind: Name = None,
    type: Name = None,  # noqa: A002  the query's own word
    provider: Name = None,
    symbol: Name = None,
    level: Literal["debug", "info", "warning", "error", "critical"] | None = None,
    since_ts: Nanoseconds = None,
    until_ts: Nanoseconds = None,
) -> Filter:
    """The filter that a request's query asks for."""
    return Filter(
        bot=bot,
        kind=kind,
        type=type,
        provider=provider,
        symbol=symbol,
        level=level,
        since_ts=since_ts,
        until_ts=until_ts,
    )


Wanted = Annotated[Filter, Depends(wanted)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Token = Annotated[str | None, Query(max_length=100_000)]


@router.get("/recent")
async def recent(parts: Wired, query: Wanted, limit: Limit = 100, before: Token = None) -> Response:
    """The newest events that pass the filter, newest first, each in its journal's words; then those before."""
    return _answer(parts, await _newest(parts, query, limit, before))


@router.get("/ai-decisions")
async def ai_decisions(parts: Wired, query: Wanted, limit: Limit = 100, before: Token = None) -> Response:
    """The newest decisions, by `provider` where it is given."""
    return _answer(parts, await _newest(parts, _of_type(query, "decision_made"), limit, before))


@router.get("/signals")
async def signals(parts: Wired, query: Wanted, limit: Limit = 100, before: Token = None) -> Response:
    """The newest signals."""
    return _answer(parts, await _newest(parts, _of_type(query, "signal_raised"), limit, before))


@router.get("/predictions")
async def predictions(parts: Wired, query: Wanted, limit: Limit = 100, before: Token = None) -> Response:
    """The newest predictions, each with its `outcome`: the line of what resolved it, or null.

    `outcomes_complete` is false where so much happened since that not all of it was looked through.
    """
    page = await _newest(parts, _of_type(query, "prediction_made"), limit, before)
    known = outcomes.kept(reversed(parts.feed.projections.activity))
    ends = dict(parts.feed.positions)
    found = await parts.hub.past.read(outcomes.find, parts.feed.home, ends, page.entries, known)
    events = [{**msgspec.structs.asdict(entry), "outcome": found.of(entry)} for entry in page.entries]
    return as_json({**_page(parts, page), "events": events, "outcomes_complete": found.are_complete})


@router.get("/since")
async def since(parts: Wired, query: Wanted, limit: Limit = 100, cursor: Token = None) -> Response:
    """Events after a cursor, oldest first; without one, from the beginning of what the journals hold.

    `next` is the cursor to go on from, and `more` tells whether something follows it by now.
    """
    seen = None if cursor is None else _read(cursor)
    places = onwards.topic_of(query).of(parts.feed.places)
    position = parts.hub.view.position
    try:
        found = await parts.hub.past.read(onwards.read, parts.feed.home, seen, places, query, limit)
    except Gone as gone:
        raise Problem(HTTPStatus.GONE, f"expected a cursor whose journals are as they were, but {gone}") from None
    return as_json(
        {
            "position": position,
            "cursor": shown(found.seen),
            "events": found.entries,
            "next": token(found.seen),
            "more": any(found.seen[key].position < place.position for key, place in places.items()),
        }
    )


@router.get("/stream")
async def stream(
    connection: HTTPConnection, parts: Wired, query: Wanted, since: Annotated[int, Query(ge=0)] = 0
) -> StreamingResponse:
    """Server-sent events: activity after position `since` that is still in memory, then as it happens."""
    try:
        parts.hub.admit(is_known=has_shown_token(connection))
    except TooManyClients:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"expected fewer than {hub.MAX_CLIENTS} stream clients; try later"
        ) from None
    return sse.respond(_follow(connection, parts, query, since))


async def _follow(connection: HTTPConnection, parts: Parts, query: Filter, since: int) -> AsyncIterator[bytes]:
    activity, loop = parts.feed.projections.activity, asyncio.get_running_loop()
    is_known = has_shown_token(connection)
    with contextlib.suppress(TooManyClients), parts.hub.seat(cut=parts.cut(connection), is_known=is_known) as reader:
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


def _of_type(query: Filter, name: str) -> Filter:
    """The filter for events of one type. Asked for another one, it finds nothing."""
    if query.type not in (None, name):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"expected no type, or {name}, was {query.type}")
    return msgspec.structs.replace(query, type=name)


async def _newest(parts: Parts, query: Filter, limit: int, before: str | None) -> Page:
    """A page: what memory has of it, and where that is not enough, what the segments have."""
    ends = onwards.topic_of(query).of(parts.feed.positions)  # of other bots, a page's token says nothing
    if before is None:
        page = history.kept(reversed(parts.feed.projections.activity), ends, query, limit)
    else:
        asked = {key: place.position for key, place in _read(before).items() if key in ends}
        page = Page([], {key: min(position, ends[key]) for key, position in asked.items()})
    if page.before is None or len(page.entries) == limit:
        return page
    missing = limit - len(page.entries)
    earlier = await parts.hub.past.read(history.read, parts.feed.home, page.before, query, missing)
    return Page(page.entries + earlier.entries, earlier.before)


def _read(text: str) -> Places:
    try:
        return from_token(text)
    except MalformedCursor as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None


def _page(parts: Parts, page: Page) -> dict[str, object]:
    following = None
    if page.before is not None:
        following = token({key: Place(position) for key, position in page.before.items()})
    return {"position": parts.hub.view.position, "events": page.entries, "next": following}


def _answer(parts: Parts, page: Page) -> Response:
    return as_json(_page(parts, page))
