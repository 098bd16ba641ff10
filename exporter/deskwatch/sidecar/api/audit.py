"""`GET /audit`: who did what, when and why, and whether anybody changed that afterwards."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.requests import HTTPConnection
from starlette.responses import Response

from deskwatch.audit import read
from deskwatch.audit.trail import Key
from deskwatch.errors import ConfigError
from deskwatch.sidecar.parts import Wired, as_json, require
from deskwatch.sidecar.problems import Problem

router = APIRouter(tags=["control"])

MAX_LIMIT = 1000


@router.get("/audit")
async def audit(
    connection: HTTPConnection,
    parts: Wired,
    bot: Annotated[list[str] | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    before: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The audit trail, newest first; `next` is the `before` of the next page. All of the chain is checked each time."""
    await require(connection, "operate", bots=bot or [])
    try:
        key = Key.parse(before) if before is not None else None
        async with parts.auditing:
            found = await asyncio.to_thread(read, parts.settings.home, bot, limit=limit, before=key)
    except ConfigError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return as_json(
        {
            "chain": f"broken at {found.breaks[0].place}" if found.breaks else "ok",
            "breaks": [{**msgspec.structs.asdict(one), "place": one.place} for one in found.breaks],
            "lines": found.lines,
            "unchained": found.unchained,
            "heads": found.heads,
            "entries": found.entries,
            "next": str(found.entries[-1].key) if found.has_more and found.entries else None,
        }
    )
