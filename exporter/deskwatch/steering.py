"""The mode in force, and the commands that lead to another: taken, obeyed, delivered."""

from __future__ import annotations

import threading
import time

from deskwatch.command import Command, Inbox, mode_of
from deskwatch.entry import Entry
from deskwatch.errors import NotSynced
from deskwatch.events import CommandAccepted, CommandStarted, Mode, ModeChanged
from deskwatch.journal import Writer
from deskwatch.mode import bot_may_change
from deskwatch.trouble import Trouble, reason_of

RETRY_SECONDS = 0.5
"""A command whose start could not be put on disk is tried again after this time."""


class Steering:
    """What the bot may do, and what it is asked to do.

    Attributes:
        mode: The mode in force.
        lock: Held while the mode changes or is told, so that no older mode is journaled behind a newer one.
    """

    def __init__(self, inbox: Inbox, journal: Writer, entry: Entry, trouble: Trouble) -> None:
        self.mode = Mode.STANDBY
        self.lock = threading.RLock()
        self._inbox = inbox
        self._journal = journal
        self._entry = entry
        self._trouble = trouble
        self._owed: ModeChanged | None = None
        self._begun: str | None = None
        self._again = 0.0

    def set_mode(self, mode: Mode, reason: str | None) -> Mode:
        """The bot's own change of its mode; the mode in force, which stays `halted` where it was."""
        with self.lock:
            if bot_may_change(self.mode, mode):
                self._change(mode, reason=reason, actor="bot", cause=None)
            else:
                self._trouble.tell("mode", f"the bot is halted; only a person can lead it to {mode}")
            return self.mode

    def obey(self) -> None:
        """Carry out the commands that need nothing of the bot."""
        with self.lock:  # over taking and obeying: of two threads, neither overtakes the other's command
            while (accepted := self._inbox.take(builtin=True)) is not None:
                # Not durable: they can be repeated, and a halt must not wait for a disk that stalls.
                command = Command(accepted, lambda event, _: self._entry.emit(event, False))
                command.start()
                if accepted.command == "ping":
                    command.succeed({"run": self._journal.run, "mode": self.mode})
                else:
                    self._set(accepted, command)

    def deliver(self) -> Command | None:
        """The oldest command for the bot's own code, with its start on disk; None where there is none to begin now."""
        if time.monotonic() < self._again:
            return None
        accepted = self._inbox.take(builtin=False)
        if accepted is None:
            return None
        if not self._begin(accepted):  # a command whose start is not on disk might be carried out twice
            self._again = time.monotonic() + RETRY_SECONDS
            self._inbox.put_back(accepted)
            return None
        return Command(accepted, self._entry.emit)

    def pause(self) -> float:
        """Seconds until `deliver` tries again what waits; 0 where it may be asked at once."""
        return max(0.0, self._again - time.monotonic())

    def settle(self) -> None:
        """Journal the newest mode if that did not work yet, so that a restart knows it."""
        if self._owed is not None:
            with self.lock:
                if self._owed is not None and self._entry.attempt(self._owed):
                    self._owed = None

    def forked(self) -> None:
        """In a forked child no command arrives, so it may do nothing."""
        self.mode = Mode.HALTED
        self.lock = threading.RLock()
        self._owed = None

    def _set(self, accepted: CommandAccepted, command: Command) -> None:
        mode = mode_of(accepted)
        if mode is None:
            command.fail(f"expected one of {', '.join(Mode)}, was {accepted.params.get('mode')!r}")
            return
        self._change(mode, reason=accepted.reason, actor=accepted.actor, cause=accepted.command_id)
        command.succeed({"mode": mode})

    def _change(self, mode: Mode, *, reason: str | None, actor: str, cause: str | None) -> None:
        previous, self.mode = self.mode, mode
        if previous is not mode:
            self._owed = ModeChanged(mode=mode, previous=previous, reason=reason, actor=actor, cause=cause)
            self.settle()

    def _begin(self, accepted: CommandAccepted) -> bool:
        """Journal durably that the bot acts on a command from now on; whether the disk has it."""
        started = CommandStarted(command_id=accepted.command_id, command=accepted.command, cause=accepted.command_id)
        try:
            if self._begun == accepted.command_id:
                self._journal.sync()  # its line is in the journal, and was not known to be on disk
            else:
                self._entry.write(started, durable=True)
        except NotSynced:
            self._begun = accepted.command_id
            return False
        except Exception as error:
            self._trouble.tell(reason_of(error), f"a command waits, as its start can't be journaled: {error}")
            return False
        return True
