"""A desk that commands a freqtrade: a journal, a control of it, and what became of each command."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deskwatch.command import Command
from deskwatch.encoding import encode
from deskwatch.events import CommandAccepted, CommandFailed, CommandSucceeded, Event, ModeChanged
from deskwatch.journal import Writer, names, read
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.control import Control
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched


class Desk:
    """Of the bot `trend`.

    Attributes:
        control: Under test.
        watched: The bot's journal.
        looks: How often its state was read back.
    """

    def __init__(self, home: Path, settings: Settings) -> None:
        self.home = home
        self.watched = Watched(home, "trend", "main", kind="freqtrade", peer=settings.peer, memory=Memory())
        self.client = Client(settings, self.watched.health)
        self.looks = 0
        self._numbers = itertools.count(1)
        self.control: Control

    async def look(self) -> None:
        """Read back as the source does: the mode alone."""
        self.looks += 1
        asked_at = time.monotonic()
        mode = self.control.mode_of((await self.client.get("show_config", urgent=True)).get("state"), asked_at)
        if mode is not None:
            self.watched.show_mode(mode)

    async def ask(self, kind: str, *, expires: float = 20.0, **params: Any) -> Any:
        """Give a command straight to the control: its result.

        Raises:
            AssertionError: It failed, with its words.
        """
        command = Command(self.accepted(kind, expires, params), lambda event, durable: self.watched.emit(event))
        await self.control.carry_out(command)
        (end,) = [each for each in self.events(CommandSucceeded, CommandFailed) if each.command_id == command.id]
        assert not isinstance(end, CommandFailed), end.error
        return end.result

    def accepted(self, kind: str, seconds: float, params: dict[str, Any]) -> CommandAccepted:
        """A command as the sidecar takes it."""
        return CommandAccepted(
            command_id=f"c{next(self._numbers)}",
            command=kind,
            params=params,
            actor="ann",
            reason="why not",
            expires_ts=time.time_ns() + int(seconds * 1e9),
            leaves_halted=True,
        )

    def write(self, kind: str, *, expires: float = 20.0, **params: Any) -> str:
        """Give a command as the sidecar does, through the control journal; its id."""
        accepted = self.accepted(kind, expires, params)
        writer = Writer(names.writer_folder(self.home, "trend", names.CONTROL)).open()
        writer.append(encode(accepted))
        writer.close()
        return accepted.command_id

    def events(self, *kinds: type[Event]) -> list[Any]:
        """What is in the bot's journal."""
        found = []
        for path in sorted(names.writer_folder(self.home, "trend", names.MAIN).glob("*.ndjson")):
            for line in path.read_bytes().splitlines():
                event = read(line, "trend", "main").event
                if isinstance(event, kinds):
                    found.append(event)
        return found

    def modes(self) -> list[str]:
        """The modes that were told, in order."""
        return [str(each.mode) for each in self.events(ModeChanged)]


@contextlib.asynccontextmanager
async def open_desk(home: Path, settings: Settings) -> AsyncIterator[Desk]:
    """A desk at work, but for taking commands."""
    desk = Desk(home, settings)
    desk.watched.open()
    try:
        async with desk.client:
            desk.control = Control(desk.client, desk.watched, desk.look)
            yield desk
    finally:
        desk.watched.close()


@contextlib.asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[None]:
    """It takes commands too."""
    task = asyncio.create_task(desk.control.serve())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
