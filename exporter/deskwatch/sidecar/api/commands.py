"""`PUT /bots/{bot}/mode`, `POST /bots/{bot}/commands`, `GET /commands/{id}`: control."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from deskwatch.errors import JournalError
from deskwatch.events import Mode
from deskwatch.projections.commands import CommandState
from deskwatch.sidecar.commanding import KeyReused
from deskwatch.sidecar.parts import KnownBot, Operator, Parts, Wired, as_json, may_read
from deskwatch.sidecar.problems import Problem

NOT_ON_DISK = '199 deskwatch "the bot gets this command, but its journal is not known to be on disk yet"'
router = APIRouter(tags=["control"])

Reason = Annotated[str | None, Field(max_length=500)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModeRequest(_Body):
    """The mode that a bot shall be in."""

    mode: Mode
    reason: Reason = None


class NoParams(_Body):
    """A command that needs nothing."""


class ModeParams(_Body):
    """Parameters of `set_mode`."""

    mode: Mode


class ClosePositionParams(_Body):
    """Which position to close: by id, or all of a symbol."""

    position_id: Annotated[str | None, Field(max_length=200)] = None
    symbol: Annotated[str | None, Field(max_length=100)] = None

    @model_validator(mode="after")
    def names_one(self) -> ClosePositionParams:
        """Exactly one of the two."""
        if (self.position_id is None) == (self.symbol is None):
            raise ValueError("expected either position_id or symbol")
        return self


class Ping(_Body):
    """Asks whether the bot's own code runs."""

    type: Literal["ping"]
    params: NoParams = NoParams()
    reason: Reason = None


class SetMode(_Body):
    """Asks for a mode."""

    type: Literal["set_mode"]
    params: ModeParams
    reason: Reason = None


class ClosePosition(_Body):
    """Asks to close a position."""

    type: Literal["close_position"]
    params: ClosePositionParams
    reason: Reason = None


class CloseAll(_Body):
    """Asks to close everything the bot holds."""

    type: Literal["close_all"]
    params: NoParams = NoParams()
    reason: Reason = None


CommandRequest = Annotated[Ping | SetMode | ClosePosition | CloseAll, Field(discriminator="type")]


@router.put("/bots/{bot}/mode", status_code=HTTPStatus.ACCEPTED)
async def put_mode(body: ModeRequest, actor: Operator, state: KnownBot, parts: Wired, key: Key = None) -> Response:
    """Ask for a mode. 202 and the command that carries it; the bot confirms by its `ModeChanged`."""
    return await _accept(parts, state.bot, "set_mode", {"mode": body.mode.value}, actor, body.reason, key)


@router.post("/bots/{bot}/commands", status_code=HTTPStatus.ACCEPTED)
async def post_command(
    body: CommandRequest, actor: Operator, state: KnownBot, parts: Wired, key: Key = None
) -> Response:
    """Give a command. 202 and a resource to watch; with an Idempotency-Key it is given once, however often sent."""
    params = body.params.model_dump(mode="json", exclude_none=True)
    return await _accept(parts, state.bot, body.type, params, actor, body.reason, key)


@router.get("/commands/{command_id}", dependencies=[Depends(may_read)])
async def get_command(command_id: str, parts: Wired) -> Response:
    """A command's life so far."""
    command = parts.feed.projections.commands.get(command_id)
    if command is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"expected the id of a command given here, was {command_id[:80]!r}")
    return as_json(command)


async def _accept(
    parts: Parts, bot: str, kind: str, params: dict[str, Any], actor: str, reason: str | None, key: str | None
) -> Response:
    if not parts.feed.caught_up.is_set():  # until then the keys of earlier commands are not known
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the journals are still being read; try again", {"Retry-After": "1"}
        )
    try:
        command = await parts.commanding.accept(bot, kind, params, actor=actor, reason=reason, key=key)
    except KeyReused:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "expected a new Idempotency-Key: this one came with another command"
        ) from None
    except OSError as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"the command was not accepted: its journal can't be written: {error.strerror}",
        ) from None
    except JournalError as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"the command was not accepted: {error}") from None
    return _accepted(command, is_synced=bot not in parts.commanding.unsynced)


def _accepted(command: CommandState, *, is_synced: bool) -> Response:
    headers = {"Location": f"/commands/{command.id}"}
    if not is_synced:  # the bot gets it, and may have acted by it: only a power loss could still take it
        headers["Warning"] = NOT_ON_DISK
    return as_json(command, HTTPStatus.ACCEPTED, headers)
