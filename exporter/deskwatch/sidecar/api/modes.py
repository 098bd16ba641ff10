"""`GET /bots/{bot}/mode`, `PUT /bots/{bot}/mode`: the mode in force, and the one that is asked for."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import Response

from deskwatch.projections.asked import ModeState
from deskwatch.sidecar.api.command_request import ModeRequest
from deskwatch.sidecar.api.commands import ACCEPTED, Key, ask_mode
from deskwatch.sidecar.api.documents import OF_A_BOT, answers, problems, schema_of
from deskwatch.sidecar.parts import KnownBot, Wired, Writer, as_json, may_read
from deskwatch.sidecar.problems import Problem

router = APIRouter(tags=["control"])

_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_TAG = re.compile(r'(W/)?"([^"]*)"')


@router.get(
    "/bots/{bot}/mode",
    dependencies=[Depends(may_read)],
    responses={**OF_A_BOT, **answers(HTTPStatus.OK, schema_of(ModeState), "ETag")},
)
async def get_mode(state: KnownBot) -> Response:
    """The mode, and its tag for a PUT that must not overwrite what others asked for meanwhile."""
    return as_json(state.mode, headers={"ETag": f'"{state.mode.etag}"'})


@router.put(
    "/bots/{bot}/mode",
    status_code=HTTPStatus.ACCEPTED,
    responses={**ACCEPTED, **problems(HTTPStatus.PRECONDITION_FAILED)},
)
async def put_mode(
    request: Request,
    body: ModeRequest,
    _: Writer,
    state: KnownBot,
    parts: Wired,
    key: Key = None,
    if_match: Annotated[
        str | None, Header(max_length=500, json_schema_extra={"pattern": f"^(\\*|{_TAGS.pattern})$"})
    ] = None,
) -> Response:
    """Ask for a mode. 202 and the command that carries it; the bot confirms by its `ModeChanged`."""
    return await ask_mode(request, parts, state, body.mode, reason=body.reason, key=key, if_match=_tags(if_match))


def _tags(if_match: str | None) -> frozenset[str] | None:
    """The tags that a caller's If-Match allows; None for any. Weak ones match nothing (RFC 9110).

    Raises:
        Problem: 400, it is none.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if _TAGS.fullmatch(if_match) is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            'expected If-Match to be "…" as ETag gave it, with its quotes, a list of such, or *',
        )
    return frozenset(tag for weak, tag in _TAG.findall(if_match) if not weak)
