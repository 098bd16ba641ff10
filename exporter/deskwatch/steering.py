"""The mode in force, and the commands that lead to another: taken, obeyed, delivered."""

from __future__ import annotations

import threading
import time
from collections import deque

from deskwatch.command import BUILTIN, Command, Inbox, Waiting, mode_of
from deskwatch.entry import Entry
from deskwatch.errors import NotSynced
from deskwatch.events import CommandAccepted, CommandFailed, Event, Mode, ModeChanged
from deskwatch.journal import Writer
from deskwatch.mode import bot_may_change, riskier
from deskwatch.offers import Offers
from deskwatch.trouble import Trouble, reason_of

MAX_OWED = 100
"""Words on commands that wait for a disk; later ones are lost, and counted. Of modes as many again are kept."""
RETRY_SECONDS = 0.5
"""A command whose start could not be put on disk is tried again after this time."""

_TOO_LATE = "its time was over before the disk confirmed its start; it was not carried out"


class Steering:
    """What the bot may do, and what it is asked to do.

    Attributes:
        mode: The mode in force.
        lock: Held while the mode changes or is told, so that no older mode is journaled behind a newer one.
        offers: The bot's own commands.
        lowering: A mode to drop to at the bot's next safe point, and why; None where there is nothing to drop.

    Args:
        inbox: Where commands wait.
        journal: The bot's own.
        entry: The way into it.
        trouble: Told of what fails.
        delivers_all: Deliver `ping` and `set_mode` like any other, and obey nothing: a source has to ask its peer.
    """

    def __init__(
        self, inbox: Inbox, journal: Writer, entry: Entry, trouble: Trouble, *, delivers_all: bool = False
    ) -> None:
        self.mode = Mode.STANDBY
        self.lock = threading.RLock()
        self._inbox = inbox
        self._journal = journal
        self._entry = entry
        self._trouble = trouble
        self._delivered = None if delivers_all else False
        self.offers = Offers()
        self.lowering: tuple[Mode, str] | None = None
        self._owed: deque[Event] = deque()
        """What could not be journaled yet of modes and of the commands that the recorder carries out, in order."""
        self._begun: CommandAccepted | None = None
        self._again = 0.0
        self._halted_ts = 0
        """When the bot halted itself; 0 where an operator did."""

    def begin(self, mode: Mode, halted_ts: int) -> None:
        """Start in a mode; where the bot had halted itself, what was given before that does not lead it out."""
        self.mode = mode
        self._halted_ts = halted_ts if mode is Mode.HALTED else 0

    def set_mode(self, mode: Mode, reason: str | None) -> Mode:
        """The bot's own change of its mode; the mode in force, which stays `halted` where it was."""
        with self.lock:
            if bot_may_change(self.mode, mode):
                is_told = False
                if mode is Mode.HALTED:  # also where an operator had halted it: what they knew is no longer all
                    is_told, self._halted_ts = bool(self._halted_ts), time.time_ns()
                self._change(mode, reason=reason, actor="bot", cause=None, is_news=mode is Mode.HALTED and not is_told)
            else:
                self._trouble.tell("mode", f"the bot is halted; only a person can lead it to {mode}")
            return self.mode

    def obey(self) -> None:
        """Carry out what needs nothing of the bot: lowering its mode, and the commands that the recorder knows."""
        with self.lock:  # over taking and obeying: of two threads, neither overtakes the other's command
            if self.lowering is not None:
                (mode, reason), self.lowering = self.lowering, None
                if riskier(self.mode, mode):
                    self.set_mode(mode, reason)
            while (waiting := self._inbox.take(builtin=True)) is not None:
                accepted = waiting.accepted
                # Not durable: they can be repeated, and a halt must not wait for a disk that stalls.
                command = Command(accepted, lambda event, _: self._say(event))
                command.start()
                if accepted.command == "ping":
                    command.succeed({"run": self._journal.run, "mode": self.mode})
                else:
                    self._set(waiting, command)

    def has_work(self) -> bool:
        """Whether `obey` or `deliver` have anything to do, now or soon."""
        return self._inbox.has_waiting() or self.lowering is not None or self._begun is not None

    def deliver(self) -> Command | None:
        """The oldest command for the bot's own code, with its start on disk; None where there is none to begin now."""
        if time.monotonic() < self._again:
            return None
        if not self._give_up():
            return None
        while (waiting := self._inbox.take(builtin=self._delivered)) is not None:
            if waiting.accepted.command in BUILTIN:  # as in `obey`: a halt must not wait for a disk that stalls
                command = Command(waiting.accepted, lambda event, _: self._say(event))
                command.start()
                return command
            command = Command(waiting.accepted, self._entry.emit)
            if not self._begin(waiting.accepted, command):  # else it might be carried out twice
                self._again = time.monotonic() + RETRY_SECONDS
                self._inbox.put_back(waiting)
                return None
            self._begun = None
            if waiting.accepted.expires_ts <= time.time_ns():
                command.fail(_TOO_LATE)
                continue
            try:
                command.parsed = self.offers.parse(command.type, command.params)
            except ValueError as error:
                command.fail(f"the parameters don't fit: {error}")
                continue
            return command
        return None

    def pause(self) -> float:
        """Seconds until `deliver` tries again what waits; 0 where it may be asked at once."""
        return max(0.0, self._again - time.monotonic())

    def settle(self) -> None:
        """Journal what is owed, so that a restart knows the mode, and nothing carried out seems to have expired."""
        if self._owed:
            with self.lock:
                while self._owed and self._entry.attempt(self._owed[0]):
                    self._owed.popleft()

    def forked(self) -> None:
        """In a forked child no command arrives, so it may do nothing."""
        self.mode = Mode.HALTED
        self.lock = threading.RLock()
        self._owed = deque()

    def _set(self, waiting: Waiting, command: Command) -> None:
        accepted = waiting.accepted
        mode = mode_of(accepted)
        if mode is None:
            command.fail(f"expected one of {', '.join(Mode)}, was {accepted.params.get('mode')!r}")
            return
        if self.mode is Mode.HALTED and mode is not Mode.HALTED and not self._may_leave(waiting):
            command.fail("the bot halted itself meanwhile; ask again with a token that may trade")
            return
        if mode is Mode.HALTED and self.mode is not Mode.HALTED:
            self._halted_ts = 0
        self._change(mode, reason=accepted.reason, actor=accepted.actor, cause=accepted.command_id)
        command.succeed({"mode": mode})

    def _change(self, mode: Mode, *, reason: str | None, actor: str, cause: str | None, is_news: bool = False) -> None:
        previous, self.mode = self.mode, mode
        if previous is not mode or is_news:
            if len(self._owed) >= 2 * MAX_OWED:
                self._owed.popleft()
            self._owed.append(ModeChanged(mode=mode, previous=previous, reason=reason, actor=actor, cause=cause))
            self.settle()

    def _say(self, event: Event) -> bool:
        """Journal what becomes of a command, now or as soon as the disk takes it."""
        self.settle()
        if not self._owed and self._entry.attempt(event):
            return True
        if len(self._owed) >= MAX_OWED:
            return self._entry.emit(event, False)
        self._owed.append(event)
        return False

    def _may_leave(self, waiting: Waiting) -> bool:
        """Whether a command leads out of `halted`: it was given by someone who may, after the bot's own halt."""
        return waiting.accepted.leaves_halted and waiting.given_ts >= self._halted_ts

    def _give_up(self) -> bool:
        """A command whose start is in the journal, but was not on disk in time, is not begun any more: say so.

        Returns False where that can't be said yet.
        """
        begun = self._begun
        if begun is not None and begun.expires_ts <= time.time_ns():
            failed = CommandFailed(
                command_id=begun.command_id, command=begun.command, error=_TOO_LATE, cause=begun.command_id
            )
            if not self._entry.attempt(failed):
                self._again = time.monotonic() + RETRY_SECONDS
                return False
            self._begun = None
        return True

    def _begin(self, accepted: CommandAccepted, command: Command) -> bool:
        """Journal durably that the bot acts on a command from now on; whether the disk has it."""
        try:
            if self._begun == accepted:
                self._journal.sync()  # its line is in the journal, and was not known to be on disk
            else:
                self._entry.write(command.started(), durable=True)
        except NotSynced:
            self._begun = accepted
            return False
        except Exception as error:
            self._trouble.tell(reason_of(error), f"a command waits, as its start can't be journaled: {error}")
            return False
        return True
