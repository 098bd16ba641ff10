"""Commands: the life of each, folded from the sidecar's words and the bot's.

The two write different journals, so their words can arrive in either order: a command's status only moves forward.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from deskwatch import events as ev
from deskwatch.events import Json
from deskwatch.journal import Record

KEPT = 5000
"""Commands that are remembered; the oldest is forgotten beyond."""

Status = Literal["accepted", "running", "succeeded", "failed", "refused", "expired", "unknown"]
_RANK: dict[Status, int] = {
    "accepted": 0,
    "expired": 1,
    "refused": 1,
    "running": 2,
    "unknown": 3,
    "failed": 4,
    "succeeded": 4,
}


class CommandState(msgspec.Struct, kw_only=True):
    """A command as `GET /commands/{id}` shows it. Times are Unix seconds."""

    id: str
    bot: str
    type: str
    status: Status = "accepted"
    params: dict[str, Json] = {}
    actor: str | None = None
    reason: str | None = None
    result: Json = None
    error: str | None = None
    accepted_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    expires_at: float | None = None
    idempotency_key: str | None = None
    run: str | None = None
    """The run of the bot that started it."""
    writer: str | None = None
    """The bot's writer that started it."""


class Commands:
    """The projection: `apply` records, read with `get`."""

    def __init__(self) -> None:
        self._commands: dict[str, CommandState] = {}
        self._keys: dict[str, str] = {}

    def apply(self, record: Record) -> CommandState | None:
        """Fold one record in; the command it moved."""
        event = record.event
        if isinstance(event, ev.BotStarted):
            self._lose_running(record)
            return None
        if not isinstance(
            event,
            ev.CommandAccepted
            | ev.CommandStarted
            | ev.CommandSucceeded
            | ev.CommandFailed
            | ev.CommandRefused
            | ev.CommandExpired,
        ):
            return None
        command = self._commands.get(event.command_id)
        if command is not None and command.bot != record.bot:
            return None  # a bot has no say in another's commands
        if command is None:
            command = CommandState(id=event.command_id, bot=record.bot, type=event.command)
            self._commands[command.id] = command
            if len(self._commands) > KEPT:
                forgotten = self._commands.pop(next(iter(self._commands)))
                self._keys.pop(f"{forgotten.bot} {forgotten.idempotency_key}", None)
        self._fold(command, record, event)
        return command

    def get(self, command_id: str) -> CommandState | None:
        """The command of this id."""
        return self._commands.get(command_id)

    def by_key(self, bot: str, idempotency_key: str) -> CommandState | None:
        """The command that a bot was given under this key."""
        command_id = self._keys.get(f"{bot} {idempotency_key}")
        return None if command_id is None else self._commands.get(command_id)

    def overdue(self, now: float) -> list[CommandState]:
        """Commands that are past their time and were never started."""
        return [
            one
            for one in self._commands.values()
            if one.status == "accepted" and one.expires_at is not None and one.expires_at < now
        ]

    def dump(self) -> Any:
        """The state as JSON-able values, for the checkpoint."""
        return msgspec.to_builtins(list(self._commands.values()))

    def load(self, state: Any) -> None:
        """Take the state back from a checkpoint."""
        commands = msgspec.convert(state, list[CommandState])
        self._commands = {command.id: command for command in commands}
        self._keys = {f"{one.bot} {one.idempotency_key}": one.id for one in commands if one.idempotency_key}

    def _fold(self, command: CommandState, record: Record, event: object) -> None:
        match event:
            case ev.CommandAccepted():
                command.params, command.actor, command.reason = event.params, event.actor, event.reason
                command.accepted_at, command.expires_at = record.seconds, event.expires_ts / 1e9
                command.idempotency_key = event.idempotency_key
                if event.idempotency_key:
                    self._keys[f"{record.bot} {event.idempotency_key}"] = command.id
            case ev.CommandStarted():
                command.started_at, command.run, command.writer = record.seconds, record.run, record.writer
                if command.status == "expired":  # the bot began in the last instant: its word counts
                    command.finished_at = None
                _advance(command, "running")
            case ev.CommandSucceeded():
                command.result, command.finished_at = event.result, record.seconds
                _advance(command, "succeeded")
            case ev.CommandFailed():
                command.error, command.finished_at = event.error, record.seconds
                _advance(command, "failed")
            case ev.CommandRefused():
                command.actor, command.error, command.finished_at = event.actor, event.error, record.seconds
                _advance(command, "refused")
            case ev.CommandExpired():
                if command.started_at is None:
                    command.finished_at = record.seconds
                    _advance(command, "expired")

    def _lose_running(self, record: Record) -> None:
        """A bot that starts again can't finish what an earlier run of the same writer began."""
        for command in self._commands.values():
            if (command.bot, command.writer, command.status) == (record.bot, record.writer, "running"):
                command.status = "unknown"


def _advance(command: CommandState, status: Status) -> None:
    if _RANK[status] > _RANK[command.status]:
        command.status = status
