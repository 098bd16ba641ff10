"""`GET /snapshot`, `/bots`, `/bots/{bot}/snapshot`: live state, with its position in what was followed."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from deskwatch.sidecar.parts import KnownBot, Wired, as_json, may_read

router = APIRouter(tags=["state"], dependencies=[Depends(may_read)])


@router.get("/bots")
@router.get("/snapshot")
async def bots(parts: Wired) -> Response:
    """Every bot's state, and the position at which it holds."""
    return as_json({"position": parts.feed.projections.activity.number, "bots": parts.bot_states()})


@router.get("/bots/{bot}/snapshot")
async def snapshot(state: KnownBot, parts: Wired) -> Response:
    """One bot's state, and the position at which it holds."""
    return as_json({"position": parts.feed.projections.activity.number, "bot": state})
