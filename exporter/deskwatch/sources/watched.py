"""What a source holds: the journal that it writes for a bot, the bot's mode, and the commands for it.

It is to a source what a `Recorder` is to a bot, but nothing is believed before the peer has said it: a mode is told
when the peer acts by it (`show_mode`), a heartbeat when the peer answers (`alive`), a start when the peer has started
(`started`), and every command, `ping` and `set_mode` too, is the source's to carry out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from deskwatch.background import HEARTBEAT_SECONDS, Background
from deskwatch.command import Command, Inbox, desired_mode
from deskwatch.entry import Entry
from deskwatch.errors import JournalError
from deskwatch.events import (
    BotStarted,
    BotStopped,
    ConnectionChanged,
    Event,
    EventsLost,
    HeartbeatSent,
    Json,
    Mode,
    ModeChanged,
    WatchStarted,
    WatchStopped,
)
from deskwatch.journal import Writer, names
from deskwatch.listener import Listener
from deskwatch.sources.checkpoint import Checkpoint
from deskwatch.sources.health import Health
from deskwatch.sources.memory import Memory, Told
from deskwatch.steering import Steering
from deskwatch.trouble import Trouble


class Watched:
    """One bot, as its source writes of it. All but the attributes is for the source's own thread.

    Attributes:
        bot: The bot's name.
        writer: Under which writer's name.
        health: How the source fares with its peer.
        memory: What the source told so far: as the checkpoint and the journal have it, and each `emit` after.
        told: What of that every source knows: the mode, the last start and the connections.
    """

    def __init__(self, home: Path, bot: str, writer: str, *, kind: str, peer: str, memory: Memory) -> None:
        self.bot = bot
        self.writer = writer
        self.health = Health(bot, kind)
        self.memory = memory
        self.told = Told()
        self._home = home
        self._kind = kind
        self._peer = peer
        self._trouble = Trouble(bot)
        folder = names.writer_folder(home, bot, writer)
        self._journal = Writer(folder, on_trouble=self._trouble.befall)
        self._entry = Entry(self._journal, self._trouble, strict=False)
        self._inbox = Inbox(home, bot, folder)
        self._steering = Steering(self._inbox, self._journal, self._entry, self._trouble, delivers_all=True)
        self._checkpoint = Checkpoint(home, bot, writer)
        self._takes_commands = writer == names.MAIN
        self._woken = asyncio.Event()
        self._listener: Listener | None = None
        self._background = Background(
            bot, self._trouble, sync=self._journal.sync, poll=self._poll, settle=self._settle, beat=lambda: None
        )
        self._began = time.monotonic()
        self._beat = 0.0

    def open(self) -> Watched:
        """Take the journal, remember what is in it, and begin. Called on the source's loop.

        Raises:
            WriterLocked: Another process writes under this name: the bot itself, or another sidecar.
            OSError: The home can't be written.
        """
        self._journal.open()
        try:
            self.memory, self.told = self._checkpoint.load(self.memory, self.told)
            self._inbox.open()
            self._listener = Listener(asyncio.get_running_loop(), self._woken)
            self._background.watch(self._inbox.folder)
            self.emit(WatchStarted(source=self._kind, peer=self._peer))
            self._background.start()
        except BaseException:
            self._release()
            raise
        return self

    def close(self, reason: str = "closed") -> None:
        """Say that nobody watches any more, put everything on disk, and release the journal."""
        if self._background.stopped.is_set():
            return
        self.emit(WatchStopped(source=self._kind, reason=reason))
        self.save()
        self._release()

    def emit(self, event: Event, *, durable: bool = False) -> bool:
        """Journal an event, and remember it; whether that worked. Where not, it is untold, and may be tried again."""
        if not self._entry.emit(event, durable):
            return False
        self.told.fold(event)
        self.memory.fold(event)
        return True

    def save(self) -> None:
        """Write the memory down, so that the next start has less to read. The source's host calls it now and then."""
        try:
            self._journal.sync()
            self._checkpoint.save(self.memory, self.told)
        except (OSError, JournalError) as error:
            self._trouble.tell("checkpoint", f"what the source told can't be written down: {error}")

    # What the peer is

    @property
    def mode(self) -> Mode | None:
        """What the peer acted by when it said so last; None before that."""
        return self.told.mode

    def started(
        self,
        boot: str,
        mode: Mode,
        *,
        host: str,
        pid: int = 0,
        version: str | None = None,
        strategy: str | None = None,
    ) -> bool:
        """The peer runs. Journals a BotStarted if this is another start than the last that was told; whether it is.

        Args:
            boot: What tells this start from others, as the peer has it.
            mode: What it acts by.
            host: Where it runs.
            pid: Its process there, where that is known: the sidecar samples it if the host is its own.
            version: Its version.
            strategy: Its strategy.
        """
        if self.told.boot == boot and self.told.is_running:
            return False
        self.emit(BotStarted(boot=boot, mode=mode, host=host, pid=pid, version=version, strategy=strategy))
        self.emit(ModeChanged(mode=mode, reason="start", actor=self._kind))
        return True

    def stopped(self, reason: str) -> None:
        """The peer has ended in good order, and said so."""
        if self.told.is_running:
            self.emit(BotStopped(reason=reason))

    def show_mode(
        self, mode: Mode, *, reason: str | None = None, actor: str | None = None, cause: str | None = None
    ) -> None:
        """The peer acts by this mode now. Journals a ModeChanged if that is news, or is what a command asked for.

        Args:
            mode: The mode.
            reason: Why, where that is known.
            actor: Who asked: the command's actor; by default the peer itself.
            cause: The command's id.
        """
        if self.told.mode is not mode or cause is not None:
            self.emit(
                ModeChanged(mode=mode, previous=self.told.mode, reason=reason, actor=actor or self._kind, cause=cause)
            )

    def alive(self, *, idle_seconds: float = 0.0, uptime_seconds: float | None = None) -> None:
        """The peer has just answered. Journals a heartbeat if one is due: none comes while it is away.

        Args:
            idle_seconds: Time since the peer's own code did anything, where it tells.
            uptime_seconds: Time since it started, where it tells.
        """
        now = time.monotonic()
        if now - self._beat >= HEARTBEAT_SECONDS:
            self._beat = now
            uptime = now - self._began if uptime_seconds is None else uptime_seconds
            self.emit(HeartbeatSent(uptime_seconds=uptime, idle_seconds=idle_seconds, mode=self.told.mode))

    def connected(self, connection: str, venue: str, *, up: bool, reason: str | None = None) -> None:
        """A link's state. Journals a ConnectionChanged if that is news.

        Args:
            connection: The link's name: `rest`, `websocket`, `rpc`.
            venue: Who is at the other end, few different words.
            up: Whether it is up.
            reason: Why not.
        """
        if self.told.connections.get(f"{venue} {connection}") is not up:
            self.emit(ConnectionChanged(connection=connection, venue=venue, up=up, reason=reason))

    # What it is asked to do

    def asked_mode(self) -> Mode | None:
        """The mode that an operator asked for last, as far as it binds a start; None if nobody did.

        A peer that was restarted and came up riskier is to be lowered to it again: a restart never raises the risk.
        """
        return desired_mode(self._home, self.bot)

    def offer(self, command: str, params: type[msgspec.Struct] | Mapping[str, Json], *, description: str = "") -> None:
        """Offer a command beyond the vocabulary: operators can then give it, and its parameters are checked.

        Args:
            command: Its type: lower-case letters, digits and `_`.
            params: Its parameters: a msgspec Struct, which a delivered command has as `parsed`, or a JSON Schema.
            description: What it does, for the operator.
        """
        self.emit(self._steering.offers.add(command, params, description))

    async def next_command(self) -> Command:
        """The next command, begun: call it only while the peer can be reached, so that others wait and expire.

        Finish each with `succeed` or `fail`, once, and say `succeed` only when the peer shows what was asked for. A
        `set_mode` that may not lead out of `halted` is refused here, and so is one whose parameters don't fit.
        """
        if not self._takes_commands:
            await asyncio.Event().wait()
        while True:
            self._woken.clear()
            command = self._steering.deliver()
            if command is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(self._steering.pause(), 0.01) if self._has_work() else None):
                        await self._woken.wait()
                continue
            wanted = wanted_mode(command)
            if command.type == "set_mode" and wanted is None:
                command.fail(f"expected one of {', '.join(Mode)}, was {command.params.get('mode')!r}")
            elif wanted is not None and self._may_not(wanted, command):
                command.fail("the bot is halted; ask again with a token that may trade")
            else:
                return command

    def _may_not(self, wanted: Mode, command: Command) -> bool:
        return self.told.mode is Mode.HALTED and wanted is not Mode.HALTED and not command.leaves_halted

    def _has_work(self) -> bool:
        return self._steering.has_work()

    def _poll(self) -> None:
        if self._takes_commands and self._inbox.poll() and self._listener is not None:
            self._listener.wake()

    def _settle(self) -> None:
        for reason, events in self._trouble.unreported():
            if self._entry.attempt(EventsLost(events=events, reason=reason)):
                self._trouble.report(reason, events)

    def _release(self) -> None:
        self._background.stop()
        try:
            self._journal.close()
        except (OSError, JournalError) as error:
            self._trouble.tell("unsynced", str(error))
        self._inbox.close()


def wanted_mode(command: Command) -> Mode | None:
    """The mode that a `set_mode` asks for; None of other commands, and where its parameters name none."""
    if command.type != "set_mode":
        return None
    try:
        return Mode(str(command.params.get("mode")))
    except ValueError:
        return None
