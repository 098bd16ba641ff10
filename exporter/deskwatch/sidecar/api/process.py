"""`/bots/{bot}/process` and `/bots/{bot}/logs`: the supervised process, also of a bot that never journaled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from deskwatch.sidecar.api.documents import OF_A_BOT, answers, problems, schema_of
from deskwatch.sidecar.parts import KnownBot, Operator, Trader, Wired, as_json, may_read
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.supervisor import log_tail
from deskwatch.sidecar.supervisor.faults import Overtaken, StillThere
from deskwatch.sidecar.supervisor.status import Status

if TYPE_CHECKING:
    from deskwatch.sidecar.supervisor.supervisor import Supervisor

MAX_LINES = 2000
router = APIRouter(tags=["process"])


class ProcessRequest(BaseModel):
    """Why, in the operator's words."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str | None, Field(max_length=500)] = None


_STATUS = schema_of(Status)
_HOOK = {
    "anyOf": [
        {
            "type": "object",
            "required": ["exit_code", "error", "output"],
            "properties": {
                "exit_code": {"type": ["integer", "null"]},
                "error": {"type": ["string", "null"]},
                "output": {"type": "array", "items": {"type": "string"}},
            },
        },
        {"type": "null"},
    ]
}
PROCESS = {**_STATUS, "properties": {**_STATUS["properties"], "hook": _HOOK}}
"""The supervised process, and after a kill how the cancel hook went."""
LOGS = {
    "type": "object",
    "required": ["bot", "file", "lines", "files"],
    "properties": {
        "bot": {"type": "string"},
        "file": {"type": ["integer", "null"]},
        "lines": {"type": "array", "items": {"type": "string"}},
        "files": {"type": "array", "items": schema_of(log_tail.LogFile)},
    },
}
"""Lines of the bot's output, secrets taken out, and the files that there are; 0 is being written."""
_READING = {**OF_A_BOT, **problems(HTTPStatus.CONFLICT)}
_ACTING = {**_READING, **problems(HTTPStatus.INTERNAL_SERVER_ERROR), **answers(HTTPStatus.OK, PROCESS)}


def supervised_bot(state: KnownBot, parts: Wired) -> Supervisor:
    """The supervisor of the bot that a path names.

    Raises:
        Problem: 409, the bot is not run by this sidecar.
    """
    found = parts.supervisors.get(state.bot)
    if found is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            f"expected {state.bot} to be supervised here; start it with: deskwatch run --bot {state.bot} -- …",
        )
    return found


if TYPE_CHECKING:
    SupervisedBot = Annotated[Supervisor, Depends(supervised_bot)]
else:  # FastAPI asks for the name alone
    SupervisedBot = Annotated[object, Depends(supervised_bot)]


@router.get(
    "/bots/{bot}/process",
    responses={**_READING, **answers(HTTPStatus.OK, PROCESS)},
    dependencies=[Depends(may_read)],
)
async def process(supervisor: SupervisedBot) -> Response:
    """The process: whether it runs, how it ended, whether it is started again."""
    return as_json(supervisor.status)


@router.post("/bots/{bot}/process/kill", responses=_ACTING)  # before {action}
async def kill(actor: Trader, supervisor: SupervisedBot, body: ProcessRequest | None = None) -> Response:
    """Run the cancel hook, then kill the bot and all that it started. Answers when nothing of it is left."""
    await _done(supervisor.kill(actor, _reason(body)))
    hook = supervisor.hook
    told = None
    if hook is not None:
        lines = [log_tail.shown(line) for line in hook.output.splitlines()]
        told = {"exit_code": hook.exit_code, "error": hook.error, "output": lines}
    return as_json({**supervisor.status.as_dict(), "hook": told})


@router.post("/bots/{bot}/process/{action}", responses=_ACTING)
async def act(
    action: Literal["start", "stop", "restart"],
    actor: Operator,
    supervisor: SupervisedBot,
    body: ProcessRequest | None = None,
) -> Response:
    """Start, stop or restart the configured command, and answer when that is done."""
    acting = {"start": supervisor.start, "stop": supervisor.stop, "restart": supervisor.restart}
    await _done(acting[action](actor, _reason(body)))
    return as_json(supervisor.status)


@router.get("/bots/{bot}/logs", responses={**_READING, **answers(HTTPStatus.OK, LOGS)})
async def logs(
    _: Operator,
    supervisor: SupervisedBot,
    lines: Annotated[int, Query(ge=1, le=MAX_LINES)] = 200,
    file: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:
    """The last lines of the bot's output, or of one of its rotated files."""
    return as_json(await asyncio.to_thread(_logs, supervisor, lines, file))


def _logs(supervisor: Supervisor, lines: int, file: int | None) -> dict[str, object]:
    home, bot = supervisor.home, supervisor.bot
    files = log_tail.files(home, bot, supervisor.settings.log_files)
    if file is not None and file not in {one.file for one in files}:
        raise Problem(HTTPStatus.NOT_FOUND, f"expected one of the {len(files)} files of output, was {file}")
    return {"bot": bot, "file": file, "lines": log_tail.tail(home, bot, lines, file), "files": files}


def _reason(body: ProcessRequest | None) -> str | None:
    return body.reason if body is not None else None


async def _done(acting: Coroutine[Any, Any, None]) -> None:
    """Have an action done. It goes on where the request does not: half of it would leave a bot that nobody follows."""
    try:
        await asyncio.shield(asyncio.create_task(acting))
    except Overtaken as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from None
    except StillThere as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from None
    except OSError as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"the command can't be run: {error.strerror}") from None
