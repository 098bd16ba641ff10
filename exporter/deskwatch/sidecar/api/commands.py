"""`POST /bots/{bot}/commands`, `GET /bots/{bot}/commands`, `GET /commands/{id}`: commands and their lives."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from deskwatch.errors import JournalError
from deskwatch.events import Mode
from deskwatch.projections.life import CommandState, Status
from deskwatch.projections.state import BotState
from deskwatch.sidecar import offered
from deskwatch.sidecar.api.command_request import BUILT_IN, CommandRequest, Custom, SetMode
from deskwatch.sidecar.api.documents import COMMANDING, OF_A_BOT, answers, list_of, schema_of
from deskwatch.sidecar.auth import WRITING, Scope
from deskwatch.sidecar.commanding import Admission, KeyReused, Lagging
from deskwatch.sidecar.parts import KnownBot, Parts, Wired, Writer, as_json, may_read, require
from deskwatch.sidecar.problems import Problem

NOT_ON_DISK = '199 deskwatch "the bot gets this command, but its journal is not known to be on disk yet"'
HEARD_SECONDS = 15.0
"""A bot that runs beats every 5 s; one that was not heard for this long is told of as away."""
TRADES = frozenset({"close_position", "close_all", "cancel_orders"})
"""What needs the scope `trade`."""
router = APIRouter(tags=["control"])

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
DOCUMENT = schema_of(CommandState)
ACCEPTED = {**COMMANDING, **answers(HTTPStatus.ACCEPTED, DOCUMENT, "Location")}


@router.post("/bots/{bot}/commands", status_code=HTTPStatus.ACCEPTED, responses=ACCEPTED)
async def post_command(
    request: Request, body: CommandRequest, actor: Writer, state: KnownBot, parts: Wired, key: Key = None
) -> Response:
    """Give a command. 202 and a resource to watch; with an Idempotency-Key it is given once, however often sent."""
    if isinstance(body, SetMode):
        return await ask_mode(
            request, parts, state, body.params.mode, reason=body.reason, key=key, seconds=body.expires_seconds
        )
    await require(request, "trade" if body.type in TRADES else "operate")
    if isinstance(body, Custom):
        _check_offered(state, body)
        params = body.params
    else:
        params = body.params.model_dump(mode="json", exclude_none=True)
    return await accept(
        parts, state, body.type, params, actor=actor, reason=body.reason, key=key, seconds=body.expires_seconds
    )


@router.get(
    "/bots/{bot}/commands",
    dependencies=[Depends(may_read)],
    responses={**OF_A_BOT, **answers(HTTPStatus.OK, list_of("commands", DOCUMENT))},
)
async def list_commands(
    state: KnownBot,
    parts: Wired,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    status: Annotated[list[Status] | None, Query()] = None,
) -> Response:
    """A bot's commands, newest first; those of some statuses only where these are given."""
    commands = parts.feed.projections.commands.of(state.bot)
    wanted = [one for one in commands if status is None or one.status in status]
    return as_json({"commands": [explained(parts, one) for one in wanted[:limit]]})


@router.get(
    "/commands/{command_id}",
    dependencies=[Depends(may_read)],
    responses={**OF_A_BOT, **answers(HTTPStatus.OK, DOCUMENT)},
)
async def get_command(command_id: str, parts: Wired) -> Response:
    """A command's life so far."""
    command = parts.feed.projections.commands.get(command_id)
    if command is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"expected the id of a command given here, was {command_id[:80]!r}")
    return as_json(explained(parts, command))


async def ask_mode(
    request: Request,
    parts: Parts,
    state: BotState,
    mode: Mode,
    *,
    reason: str | None,
    key: str | None,
    seconds: int | None = None,
    if_match: frozenset[str] | None = None,
) -> Response:
    """Ask for a mode, if the caller may and has seen the newest.

    A bot counts as halted where it is, is asked to be, or was never heard to be anything else.

    Args:
        request: The caller's.
        parts: The sidecar's.
        state: The bot's.
        mode: What it shall be in.
        reason: The operator's words.
        key: The caller's idempotency key.
        seconds: Time to live.
        if_match: Tags of which one must be the mode's; None for any.

    Raises:
        Problem: As `accept`; 403, or 412 where the mode has another tag.
    """
    is_halt = mode is Mode.HALTED and if_match is None  # nothing that is not known yet stands in its way
    scopes: tuple[Scope, ...] = ("operate",) if is_halt else ("trade",) if mode is Mode.CLOSING else WRITING
    actor = await require(request, *scopes)

    async def admit() -> bool:
        current = parts.feed.projections.state.bots.get(state.bot, state).mode
        if if_match is not None and current.etag not in if_match:
            raise Problem(
                HTTPStatus.PRECONDITION_FAILED,
                f"expected If-Match to be the mode's tag, which is {current.etag!r} now; look at the mode again",
            )
        leaves_halted = mode is not Mode.HALTED and (
            current.actual in (None, Mode.HALTED) or current.desired == Mode.HALTED
        )
        if mode is not Mode.CLOSING:
            await require(request, "trade" if leaves_halted else "operate")
        return leaves_halted

    return await accept(
        parts,
        state,
        "set_mode",
        {"mode": mode.value},
        actor=actor,
        reason=reason,
        key=key,
        seconds=seconds,
        admit=None if is_halt else admit,
        at_once=is_halt and key is None,
    )


async def accept(
    parts: Parts,
    state: BotState,
    kind: str,
    params: dict[str, Any],
    *,
    actor: str,
    reason: str | None,
    key: str | None,
    seconds: int | None,
    admit: Admission | None = None,
    at_once: bool = False,
) -> Response:
    """Pass a command on to a bot; the answer. What is asked `at_once` needs nothing of what the journals hold.

    Raises:
        Problem: 422, the key came with another body; 503, it was not accepted.
    """
    if not at_once and not parts.feed.caught_up.is_set():  # until then the keys of earlier commands are not known
        raise _not_yet("the journals are still being read")
    try:
        command = await parts.commanding.accept(
            state.bot, kind, params, actor=actor, reason=reason, key=key, seconds=seconds, admit=admit
        )
    except KeyReused:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "expected a new Idempotency-Key: this one came with another command"
        ) from None
    except Lagging:
        raise _not_yet("an earlier command is still on its way through the journal") from None
    except OSError as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"the command was not accepted: its journal can't be written: {error.strerror}",
        ) from None
    except JournalError as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"the command was not accepted: {error}") from None
    headers = {"Location": f"/commands/{command.id}"}
    if state.bot in parts.commanding.unsynced:  # the bot gets it: only a power loss could still take it
        headers["Warning"] = NOT_ON_DISK
    return as_json(explained(parts, command), HTTPStatus.ACCEPTED, headers)


def explained(parts: Parts, command: CommandState) -> CommandState:
    """A command as it is shown now: one that waits for a bot that is not heard says so."""
    if command.status != "accepted":
        return command
    state = parts.feed.projections.state.bots.get(command.bot)
    last = None if state is None else state.last_event
    if last is None:
        why = "it was never heard of"
    elif not state.running:  # type: ignore[union-attr]  # `last` is its own
        why = "it is not running"
    elif time.time() - last > HEARD_SECONDS:
        why = f"it was not heard for {time.time() - last:.0f} s"
    else:
        return command
    return msgspec.structs.replace(
        command, waiting_for=f"the bot to begin it: {why}, and the command expires unless it does in time"
    )


def _check_offered(state: BotState, body: Custom) -> None:
    offer = next((one for one in state.offers if one["type"] == body.type), None)
    if offer is None:
        own = ", ".join(one["type"] for one in state.offers) or "none"
        raise Problem(
            HTTPStatus.CONFLICT,
            f"expected one of {', '.join(BUILT_IN)}, or of the bot's own commands ({own}), was {body.type!r}",
        )
    try:
        offered.check(offer["schema"], body.params)
    except offered.BadSchema as bad:
        raise Problem(
            HTTPStatus.CONFLICT, f"the schema that the bot gave for {body.type!r} can't be used: {bad}"
        ) from None
    except offered.BadParams as bad:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the parameters don't fit: {bad}") from None


def _not_yet(why: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}; try again", {"Retry-After": "1"})
