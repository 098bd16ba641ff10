"""`POST /bots/{bot}/process/{start,stop,restart}` and `GET /bots/{bot}/logs`: the supervised process."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from deskwatch.sidecar.parts import KnownBot, Operator, Parts, Wired, as_json
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.supervisor import Supervisor

router = APIRouter(tags=["process"])


class ProcessRequest(BaseModel):
    """Why, in the operator's words."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str | None, Field(max_length=500)] = None


@router.post("/bots/{bot}/process/{action}")
async def act(
    action: Literal["start", "stop", "restart"],
    actor: Operator,
    state: KnownBot,
    parts: Wired,
    body: ProcessRequest | None = None,
) -> Response:
    """Start, stop or restart the configured command, and answer when that is done."""
    supervisor = _supervisor(parts, state.bot)
    reason = body.reason if body is not None else None
    try:
        await getattr(supervisor, action)(actor, reason)
    except OSError as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"the command can't be run: {error.strerror}") from None
    return as_json(_process(supervisor))


@router.get("/bots/{bot}/logs")
async def logs(
    _: Operator, state: KnownBot, parts: Wired, lines: Annotated[int, Query(ge=1, le=2000)] = 200
) -> Response:
    """The last lines of the bot's output, secrets scrubbed."""
    supervisor = _supervisor(parts, state.bot)
    return as_json({**_process(supervisor), "lines": supervisor.tail(lines)})


def _process(supervisor: Supervisor) -> dict[str, object]:
    return {"bot": supervisor.bot, "pid": supervisor.pid, "exit_code": supervisor.exit_code}


def _supervisor(parts: Parts, bot: str) -> Supervisor:
    if parts.supervisor is None or parts.supervisor.bot != bot:
        raise Problem(
            HTTPStatus.CONFLICT, f"expected {bot} to be supervised here; start it with: deskwatch run --bot {bot} -- …"
        )
    return parts.supervisor
