"""A command's life: all that was said and seen of it, and the status that follows."""

from __future__ import annotations

from typing import Literal

import msgspec

from deskwatch import events as ev
from deskwatch.events import Json
from deskwatch.journal import Record
from deskwatch.journal.names import MAIN
from deskwatch.projections import evidence as evidences
from deskwatch.projections.evidence import Evidence
from deskwatch.projections.holdings import Holding

Status = Literal["accepted", "running", "succeeded", "failed", "refused", "expired", "unknown"]
FINAL = frozenset({"succeeded", "failed", "refused", "expired"})
LOST = "the bot stopped before it said what became of it"
UNWATCHED = "deskwatch ceased to watch the bot before it saw what became of it; look at what the bot shows"


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
    expires_seconds: float | None = None
    """The time that the caller gave it; null where they left it to the sidecar."""
    reported: Literal["succeeded", "failed"] | None = None
    """What the bot said of it. "succeeded" while the status is "running": its journal does not show it yet."""
    waiting_for: str | None = None
    """What must be seen before it counts as done; null once it has ended."""
    idempotency_key: str | None = None
    run: str | None = None
    """The run of the bot that started it."""
    writer: str | None = None
    """The bot's writer that started it."""


class Life(msgspec.Struct, kw_only=True):
    """What was said of a command, by whom, and what was seen. Of the sidecar: refused, expired, doubt."""

    bytes: int = 0
    """Of the lines on it."""
    refused_at: float | None = None
    refusal: str | None = None
    expired_at: float | None = None
    doubt: str | None = None
    writer: str | None = None
    """The bot's writer whose word counts; what follows is its."""
    run: str | None = None
    params: dict[str, Json] | None = None
    started_at: float | None = None
    reported: Literal["succeeded", "failed"] | None = None
    reported_at: float | None = None
    result: Json = None
    error: str | None = None
    evidence: Evidence | None = None
    """None before it began and after it ended."""
    seen_at: float | None = None
    """When the journal showed what was asked for."""
    is_lost: bool = False
    """The run that began it has ended and said nothing."""
    settled: Literal["succeeded", "failed"] | None = None
    """What the journal showed of a lost one."""
    settled_at: float | None = None

    def is_spoken_for(self, writer: str) -> bool:
        """Whether another of the bot's writers has the word."""
        return self.writer is not None and _standing(writer) > _standing(self.writer)

    def take_word(self, writer: str) -> None:
        """Let a writer have the word; what one with less of a say said is forgotten."""
        if self.writer is not None and self.writer != writer:
            self.run = self.params = self.started_at = self.reported = self.reported_at = None
            self.result = self.error = self.evidence = self.seen_at = self.settled = self.settled_at = None
            self.is_lost = False
        self.writer = writer

    def look(self, command: CommandState, record: Record, holding: Holding) -> None:
        """See whether the journal shows what was asked for: once the bot has said so, or can't say any more."""
        if self.evidence is None:
            return
        if self.reported == "succeeded":
            if self.seen_at is None and evidences.is_seen(command.type, self.evidence):
                self.seen_at = record.seconds
        elif (
            self.is_lost
            and self.settled is None
            and evidences.is_known_without_word(command.type, self.evidence, holding)
        ):
            self.settled, self.settled_at = "succeeded", record.seconds

    def lose(
        self,
        command: CommandState,
        record: Record,
        holding: Holding,
        event: ev.BotStarted | ev.BotStopped | ev.WatchStarted,
    ) -> None:
        """The run that began it has ended, the bot's or its source's: what it asked for may show all the same."""
        if self.reported is not None or self.settled is not None or self.evidence is None:
            return
        params = self.params or command.params
        if not self.is_lost:
            self.is_lost = True
            if isinstance(event, ev.WatchStarted):
                self.doubt = self.doubt or UNWATCHED
            if isinstance(event, ev.BotStopped) and command.type == "set_mode":
                pass  # the mode that it starts in will tell
            elif command.type != "set_watchlist":  # a list that it watched before proves nothing
                evidences.weigh(command.type, params, self.evidence, holding, record.writer)
        elif isinstance(event, ev.BotStarted) and command.type == "set_mode":
            evidences.weigh(command.type, params, self.evidence, holding, record.writer)
        self.look(command, record, holding)
        if self.settled is not None or not isinstance(event, ev.BotStarted):
            return
        if command.type == "set_mode":
            self.error = f"{LOST}; it started again in {event.mode}"
            self.settled, self.settled_at = "failed", record.seconds
        elif command.type == "ping":
            self.error = "the bot stopped before it answered"
            self.settled, self.settled_at = "failed", record.seconds


def judge(command: CommandState, life: Life, *, is_running: bool) -> None:
    """Bring what a command shows up to date with its life."""
    command.started_at, command.run, command.writer = life.started_at, life.run, life.writer
    command.reported, command.result, command.error = life.reported, life.result, life.error
    command.finished_at = None
    command.waiting_for = evidences.wanted(command.type, life.params or command.params, life.evidence)
    if life.reported == "failed":
        _end(command, "failed", life.reported_at)
    elif life.reported == "succeeded" and life.seen_at is not None:
        _end(command, "succeeded", life.seen_at)
    elif life.settled is not None:
        _end(command, life.settled, life.settled_at)
    elif life.is_lost or life.doubt is not None:
        command.status, command.error = "unknown", life.doubt or LOST
    elif life.writer is not None:
        command.status = "running"
    elif life.refused_at is not None:
        command.error = life.refusal
        _end(command, "refused", life.refused_at)
    elif life.expired_at is not None:
        command.error = "the bot did not begin it in time, and will not"
        _end(command, "expired", life.expired_at)
    else:
        command.status = "accepted"
        command.waiting_for = "the bot to begin it" if is_running else "the bot to start: it is not running"


def _end(command: CommandState, status: Status, at: float | None) -> None:
    command.status, command.finished_at, command.waiting_for = status, at, None


def _standing(writer: str) -> tuple[bool, str]:
    """Of several writers the least has the word."""
    return (writer != MAIN, writer)
