"""`GET /snapshot`, `/bots`, `/bots/{bot}/snapshot`: live state, with its position in what was followed.

`cursor` is where `/stream` goes on, for whoever asks here first, or in place of streaming.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from deskwatch.sidecar.parts import KnownBot, Wired, as_json, may_read
from deskwatch.sidecar.streaming.topic import Topic

router = APIRouter(tags=["state"], dependencies=[Depends(may_read)])


@router.get("/bots")
@router.get("/snapshot")
async def bots(parts: Wired) -> Response:
    """Every bot's state, and the position at which it holds."""
    return as_json(parts.hub.view.snapshot())


@router.get("/bots/{bot}/snapshot")
async def snapshot(state: KnownBot, parts: Wired) -> Response:
    """One bot's state, and the position at which it holds."""
    found = parts.hub.view.snapshot(Topic(frozenset([state.bot])))
    (found["bot"],) = found.pop("bots")  # type: ignore[misc]  # a list with one
    return as_json(found)
