"""A command as the bot sees it, and how it reaches the bot.

The sidecar appends `CommandAccepted` to the bot's `control` journal; `Inbox` reads it there. A command is started once:
`CommandStarted` is journaled durably before the bot acts, and after a restart what the bot's own journal has seen
started is not delivered again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from deskwatch.errors import CommandError, InvalidLine
from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    Event,
    HeartbeatSent,
    Json,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Position, WriterFollower, folders, names, read, tail
from deskwatch.mode import riskier

MAX_WAITING = 1000
"""Commands that wait for the bot, and as many modes again; the newest is refused beyond, but never a halt."""
MAX_TAKEN = 10_000
"""Commands taken in that are remembered until they expire, so that none is taken in twice."""


class Command:
    """An instruction to the bot. Finish it with `succeed` or `fail`, once.

    Attributes:
        id: The command's id.
        type: What is asked: `close_position`, `close_all` …
        params: Its parameters.
        reason: The operator's words.
        actor: Who asks: the token's name.
        expires_ts: Not begun after this, Unix time in nanoseconds.
        leaves_halted: Whether who asks may lead a bot out of `halted`.
        parsed: The parameters as the Struct that was registered for the command; None where none was.
    """

    def __init__(self, accepted: CommandAccepted, emit: Callable[[Event, bool], bool]) -> None:
        self.id = accepted.command_id
        self.type = accepted.command
        self.params = accepted.params
        self.reason = accepted.reason
        self.actor = accepted.actor
        self.expires_ts = accepted.expires_ts
        self.leaves_halted = accepted.leaves_halted
        self.parsed: Any = None
        self._emit = emit
        self._done = False

    def start(self) -> bool:
        """Journal durably that the bot acts on it from now on; whether that worked. The recorder calls this."""
        return self._emit(self.started(), True)

    def started(self) -> CommandStarted:
        """The event that says so, with what the bot acts by."""
        return CommandStarted(command_id=self.id, command=self.type, params=self.params or None, cause=self.id)

    def succeed(self, result: Json = None) -> None:
        """Say that what was asked is done.

        Raises:
            CommandError: It was finished before.
        """
        self._finish(CommandSucceeded(command_id=self.id, command=self.type, result=result, cause=self.id))

    def fail(self, reason: str) -> None:
        """Say that it could not be done, and why.

        Raises:
            CommandError: It was finished before.
        """
        self._finish(CommandFailed(command_id=self.id, command=self.type, error=reason, cause=self.id))

    def _finish(self, outcome: Event) -> None:
        if self._done:
            raise CommandError(f"expected to finish command {self.id} once, but it was finished before")
        self._done = True
        self._emit(outcome, True)

    def __repr__(self) -> str:
        return f"Command({self.type!r}, {self.params!r}, id={self.id!r})"


class Waiting(NamedTuple):
    """A command that was accepted and not yet started."""

    accepted: CommandAccepted
    given_ts: int
    """When, by the sidecar's clock: Unix time in nanoseconds."""


class Inbox:
    """Commands for one bot that were accepted and not yet started, in the order they were accepted."""

    def __init__(self, home: Path, bot: str, own_folder: Path) -> None:
        self._folder = names.writer_folder(home, bot, names.CONTROL)
        self._own_folder = own_folder
        self._follower = WriterFollower(home, bot, names.CONTROL)
        self._takes_all = own_folder.name == names.MAIN
        self._lock = threading.RLock()
        self._waiting: deque[Waiting] = deque()
        self._taken: dict[str, int] = {}
        """Ids and when they expire. The sidecar writes a line again where its segment was removed meanwhile."""
        self.arrived = threading.Condition(self._lock)

    @property
    def folder(self) -> Path:
        """The control journal's folder, to be watched."""
        return self._folder

    def open(self) -> Inbox:
        """Begin with what is still in time and was not started by an earlier run."""
        for changed in folders.make(self._folder):
            folders.sync(changed)
        segments = names.segments(self._folder)
        if segments:  # what is in those before the last two has expired or been started long ago
            self._follower.position = Position(segments[-2:][0], 0)
        self._take_in(self._was_not_started)
        return self

    def poll(self) -> bool:
        """Take in what the control journal has got; True if there is something new."""
        return self._take_in(lambda _: True)

    def _take_in(self, accepts: Callable[[CommandAccepted], bool]) -> bool:
        found: dict[str, Waiting] = {}
        expired: set[str] = set()
        while (batch := self._follower.read()) is not None:
            for text in batch.lines:
                if not any(kind in text for kind in _COMES_OR_GOES):
                    continue
                try:
                    record = read(text, batch.bot, batch.writer)
                except InvalidLine:
                    continue  # the sidecar counts it
                event = record.event
                if isinstance(event, CommandExpired):  # so it was told: not even a clock set back brings it back
                    expired.add(event.command_id)
                elif isinstance(event, CommandAccepted) and self._is_mine(event) and accepts(event):
                    found.setdefault(event.command_id, Waiting(event, record.ts))
        if not found and not expired:
            return False
        with self._lock:
            now = time.time_ns()
            waiting = [*self._waiting, *(one for name, one in found.items() if self._is_new(name, one))]
            self._waiting = _bounded(
                one for one in waiting if one.accepted.expires_ts > now and one.accepted.command_id not in expired
            )
            self.arrived.notify_all()
        return bool(found)

    def _is_new(self, command_id: str, waiting: Waiting) -> bool:
        if command_id in self._taken:
            return False
        self._taken[command_id] = waiting.accepted.expires_ts
        if len(self._taken) > MAX_TAKEN:
            now = time.time_ns()
            unexpired = [(name, expires) for name, expires in self._taken.items() if expires > now]
            self._taken = dict(unexpired[-MAX_TAKEN // 2 :])
        return True

    def take(self, *, builtin: bool | None) -> Waiting | None:
        """The oldest waiting command: of those the recorder carries out, of the others, or of all (None).

        Late ones are dropped.
        """
        with self._lock:
            now = time.time_ns()
            for waiting in list(self._waiting):
                if waiting.accepted.expires_ts <= now:
                    self._waiting.remove(waiting)
                elif builtin is None or (waiting.accepted.command in BUILTIN) is builtin:
                    self._waiting.remove(waiting)
                    return waiting
        return None

    def put_back(self, waiting: Waiting) -> None:
        """A command that could not be started: it is tried again, first, until its time is over."""
        with self._lock:
            self._waiting.appendleft(waiting)

    def has_waiting(self) -> bool:
        """Whether anything waits. Cheap enough for every read of the mode."""
        return bool(self._waiting)

    def close(self) -> None:
        """Close the journal's file."""
        self._follower.close()

    def forked(self) -> None:
        """In a forked child: the commands are the parent's, and another of its threads may have held the lock."""
        self._lock = threading.RLock()
        self._waiting = deque()
        self._taken = {}
        self.arrived = threading.Condition(self._lock)
        self._follower.close()

    def _is_mine(self, command: CommandAccepted) -> bool:
        """Whether it is in time and for this writer: modes are for all of a bot's writers, commands for `main`."""
        return command.expires_ts > time.time_ns() and (self._takes_all or command.command in BUILTIN)

    def _was_not_started(self, command: CommandAccepted) -> bool:
        """Asked at the start only: it searches the journal, and a command that comes later can't have been started."""
        needle = b'"type":"command_started","cause":"%b"' % command.command_id.encode()
        return next(tail.lines_with(self._own_folder, needle), None) is None


def _bounded(waiting: Iterable[Waiting]) -> deque[Waiting]:
    """What may wait, in order."""
    kept: deque[Waiting] = deque()
    modes = others = 0
    for one in waiting:
        if one.accepted.command == "set_mode":
            modes += 1
            is_refused = modes > MAX_WAITING and mode_of(one.accepted) is not Mode.HALTED
        else:
            others += 1
            is_refused = others > MAX_WAITING
        if not is_refused:
            kept.append(one)
    return kept


BUILTIN = frozenset({"ping", "set_mode"})
"""Commands that the recorder carries out itself, at the bot's next safe point."""
_COMES_OR_GOES = (b'"type":"command_accepted"', b'"type":"command_expired"')
_TELL_MODE = (b"mode_changed", b"heartbeat_sent", b"bot_started")


def last_mode(folder: Path) -> Mode | None:
    """The mode that a bot's own journal saw last: by its newest change of mode or heartbeat, whichever is later.

    A heartbeat tells it every few seconds, so that the newest lines suffice, and retention takes nothing away.
    """
    for text in tail.lines_with(folder, b'"mode":"'):
        if not any(kind in text for kind in _TELL_MODE):
            continue
        try:
            event = read(text, "", names.MAIN).event
        except InvalidLine:
            continue
        if isinstance(event, ModeChanged | HeartbeatSent | BotStarted) and event.mode is not None:
            return event.mode
    return None


def own_halt_ts(folder: Path) -> int:
    """When the bot halted itself, by its own journal, Unix time in nanoseconds; 0 where it changed otherwise last."""
    for text in tail.lines_with(folder, b'"type":"mode_changed"'):
        try:
            record = read(text, "", names.MAIN)
        except InvalidLine:
            continue
        event = record.event
        if isinstance(event, ModeChanged) and event.previous is not None:  # a start's has none
            return record.ts if event.mode is Mode.HALTED and event.actor == "bot" else 0
    return 0


def desired_mode(home: Path, bot: str) -> Mode | None:
    """The mode that is asked for in a bot's control journal, as far as it binds a start: the least risky one.

    Of commands that expired only those that lower the risk are heeded; what is asked for otherwise is the newest that
    did not expire (`deskwatch.projections.asked` is the sidecar's side of this rule).
    """
    folder = names.writer_folder(home, bot, names.CONTROL)
    expired: set[str] = set()
    found: Mode | None = None
    for text in tail.lines_with(folder, b'"command":"set_mode"'):
        try:
            event = read(text, bot, names.CONTROL).event
        except InvalidLine:
            continue
        if isinstance(event, CommandExpired):
            expired.add(event.command_id)
        if not isinstance(event, CommandAccepted) or event.command != "set_mode":
            continue  # the parameters of another may look like one
        mode = mode_of(event)
        if mode is not None and (found is None or riskier(found, mode)):
            found = mode
        if event.command_id not in expired:
            break
    return found


def mode_of(command: CommandAccepted | Command) -> Mode | None:
    """The mode that a `set_mode` command asks for; None where its parameters name none."""
    try:
        return Mode(str(command.params.get("mode")))
    except ValueError:
        return None
