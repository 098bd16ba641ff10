"""The commands for a bot that is watched: all of them are its source's to carry out, `ping` and `set_mode` too."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from deskwatch.command import Command, Inbox, mode_of
from deskwatch.entry import Entry
from deskwatch.events import CommandOffered, Json, Mode
from deskwatch.journal import Writer, names
from deskwatch.listener import Listener
from deskwatch.steering import Steering
from deskwatch.trouble import Trouble

STAYS_HALTED = "the bot is halted; ask again with a token that may trade"
"""What an operator is told who may not lead it out of that."""
_LEAST_SECONDS = 0.01
"""Pause before what could not be begun is tried again."""


class Commands:
    """Of one writer; only `main` is given any.

    Args:
        home: Folder of all journals.
        bot: The bot's name.
        journal: The writer's.
        entry: The way into it.
        trouble: Told of what fails.
        mode: The mode that the peer acts by, as far as it is known.
    """

    def __init__(
        self, home: Path, bot: str, journal: Writer, entry: Entry, trouble: Trouble, mode: Callable[[], Mode | None]
    ) -> None:
        self._inbox = Inbox(home, bot, journal.folder)
        self._steering = Steering(self._inbox, journal, entry, trouble, delivers_all=True)
        self._mode = mode
        self._is_main = journal.folder.name == names.MAIN
        self._woken = asyncio.Event()
        self._listener: Listener | None = None

    @property
    def folder(self) -> Path:
        """Where they arrive, to be watched."""
        return self._inbox.folder

    def open(self) -> None:
        """Begin with those that are still in time and were not begun. Called on the source's loop."""
        self._inbox.open()
        self._listener = Listener(asyncio.get_running_loop(), self._woken)

    def close(self) -> None:
        """Close the files."""
        self._inbox.close()

    def poll(self) -> None:
        """Look for new ones. For a thread of its own."""
        if self._is_main and self._inbox.poll() and self._listener is not None:
            self._listener.wake()

    def settle(self) -> None:
        """Journal what could not be said of them so far. For a thread of its own."""
        self._steering.settle()

    def offer(
        self, command: str, params: type[msgspec.Struct] | Mapping[str, Json], description: str
    ) -> CommandOffered:
        """Take a command beyond the vocabulary; the event that offers it."""
        return self._steering.offers.add(command, params, description)

    async def next(self, reachable: asyncio.Event) -> Command:
        """The next one, begun while `reachable` is set. What can't be carried out by its own words is failed here."""
        if not self._is_main:
            await asyncio.Event().wait()
        while True:
            await reachable.wait()
            if not reachable.is_set():  # it was cleared again before this went on
                continue
            self._woken.clear()
            command = self._steering.deliver()  # nothing is awaited from here on: what is begun is given
            if command is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._woken.wait()
                continue
            wanted = wanted_mode(command)
            if command.type == "set_mode" and wanted is None:
                command.fail(f"expected one of {', '.join(Mode)}, was {command.params.get('mode')!r}")
            elif wanted is not None and self._may_not(wanted, command):
                command.fail(STAYS_HALTED)
            else:
                return command

    def _pause(self) -> float | None:
        return max(self._steering.pause(), _LEAST_SECONDS) if self._steering.has_work() else None

    def _may_not(self, wanted: Mode, command: Command) -> bool:
        return self._mode() is Mode.HALTED and wanted is not Mode.HALTED and not command.leaves_halted


def wanted_mode(command: Command) -> Mode | None:
    """The mode that a `set_mode` asks for; None of other commands, and where its parameters name none."""
    return mode_of(command) if command.type == "set_mode" else None
