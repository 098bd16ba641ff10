"""What a source holds: the journal that it writes for a bot, the bot's mode, and the commands for it.

It is to a source what a `Recorder` is to a bot, but nothing is believed before the peer has said it: a mode is told
when the peer acts by it (`show_mode`), a heartbeat when the peer answers (`alive`), a start when the peer has started
(`started`), and every command, `ping` and `set_mode` too, is the source's to carry out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from deskwatch.background import HEARTBEAT_SECONDS, Background
from deskwatch.command import Command, desired_mode
from deskwatch.entry import Entry
from deskwatch.errors import JournalError, NotJournaled, NotSynced
from deskwatch.events import (
    BotStarted,
    BotStopped,
    CommandOffered,
    ConnectionChanged,
    Event,
    EventsLost,
    HeartbeatSent,
    Json,
    LogRecorded,
    Mode,
    ModeChanged,
    RequestCompleted,
    WatchStarted,
    WatchStopped,
)
from deskwatch.journal import Writer, names
from deskwatch.scrub import scrub, scrubbed
from deskwatch.sources.checkpoint import Checkpoint
from deskwatch.sources.commands import Commands, wanted_mode
from deskwatch.sources.health import Health
from deskwatch.sources.memory import Memory, Told
from deskwatch.trouble import Trouble

__all__ = ["Watched", "wanted_mode"]

logger = logging.getLogger(__name__)

_FREE_TEXT = frozenset({BotStopped, ConnectionChanged, LogRecorded, RequestCompleted, WatchStopped})
"""Events that hold what a peer or an exception said: a URL with its password, say. More are scrubbed by the journal."""


class Watched:
    """One bot, as its source writes of it. All but the attributes is for the source's own thread.

    Attributes:
        bot: The bot's name.
        writer: Under which writer's name.
        health: How the source fares with its peer.
        memory: What the source told so far: as the checkpoint and the journal have it, and each `emit` after.
        told: What of that every source knows: the mode, the last start and the connections.
    """

    def __init__(
        self, home: Path, bot: str, writer: str, *, kind: str, peer: str, memory: Memory, health: Health | None = None
    ) -> None:
        self.bot = bot
        self.writer = writer
        self.health = health or Health(bot, kind)
        self.memory = memory
        self.told = Told()
        self._home = home
        self._kind = kind
        self._peer = scrub(peer)
        self._trouble = Trouble(bot)
        folder = names.writer_folder(home, bot, writer)
        self._journal = Writer(folder, on_trouble=self._trouble.befall)
        self._entry = Entry(self._journal, self._trouble, strict=False)
        self._commands = Commands(home, bot, self._journal, self._entry, self._trouble, lambda: self.told.mode)
        self._checkpoint = Checkpoint(home, bot, writer)
        self._background = Background(
            bot,
            self._trouble,
            sync=self._journal.sync,
            poll=self._commands.poll,
            settle=self._settle,
            beat=lambda: None,
        )
        self._offered: dict[str, CommandOffered] = {}
        self._began = time.monotonic()
        self._beat = float("-inf")
        self._is_taken = self._is_open = False

    def take(self) -> Watched:
        """Take the journal, so that nobody else writes it. Quick, and to be called from any thread.

        Raises:
            WriterLocked: Another process writes under this name: the bot itself, or another sidecar.
            OSError: The home can't be written.
        """
        self._journal.open()
        self._is_taken = True
        return self

    def open(self) -> Watched:
        """Take the journal if that was not done, remember what is in it, and begin. Called on the source's loop.

        Raises:
            WriterLocked: As `take`.
            NotJournaled: That it begins can't be journaled.
            OSError: The home can't be written.
        """
        if not self._is_taken:
            self.take()
        try:
            self.memory, self.told = self._checkpoint.load(self.memory, self.told)
            self._commands.open()
            self._background.watch(self._commands.folder)
            self.emit(WatchStarted(source=self._kind, peer=self._peer))
            self._background.start()
        except BaseException:
            self._release()
            raise
        self._is_open = True
        return self

    def close(self, reason: str = "closed", *, keep: bool = True) -> None:
        """Say that nobody watches any more, put everything on disk, and release the journal.

        Args:
            reason: Why.
            keep: Write the memory down. Not after a failure: it may be in the middle of something, and is made again
                of the journal.
        """
        if not self._is_open:
            if self._is_taken:
                self._release()
            return
        self._is_open = False
        with contextlib.suppress(NotJournaled):  # the next start says as much
            self.emit(WatchStopped(source=self._kind, reason=reason))
        try:
            if keep:
                kept = self._checkpoint.take(self.memory, self.told)
                self._journal.sync()
                self._checkpoint.write(kept)
        except (OSError, JournalError) as error:
            self._not_kept(error)
        self._release()

    def emit(self, event: Event, *, durable: bool = False) -> bool:
        """Journal an event, and remember it.

        Returns whether it is in the journal, or was: what can't be encoded never will be, and is counted as lost. What
        happened in a time of which the memory was lost (`Told.before`) is remembered, and not journaled again.

        Args:
            event: A fact, as it is now.
            durable: Also wait until the disk has it.

        Raises:
            NotJournaled: It can't be written now (a full disk, say). It is not remembered, so it is still to be told.
                Let it out of `watch`: the source begins again with what the journal has, reads the peer's state, and
                finds it missing.
        """
        if event.__class__ in _FREE_TEXT:
            event = scrubbed(event)
        try:
            if not self.told.has(event):
                self._entry.write(event, durable=durable)
        except NotSynced as error:  # it is in the journal, and the writer goes on trying
            self._trouble.tell("unsynced", str(error))
        except (OSError, JournalError) as error:
            raise NotJournaled(f"expected to journal {type(event).__name__} of {self.bot}, but: {error}") from error
        except Exception as error:
            self._entry.failed(event, error)
            return False
        self.told.fold(event, time.time())
        self.memory.fold(event)
        return True

    async def save(self) -> None:
        """Write the memory down, so that the next start has less to read. The source's host calls it now and then."""
        try:
            kept = self._checkpoint.take(self.memory, self.told)
            await asyncio.to_thread(self._journal.sync)  # it may stall
            await asyncio.to_thread(self._checkpoint.write, kept)
        except (OSError, JournalError) as error:
            self._not_kept(error)

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
        for offered in self._offered.values():  # a start takes back what was offered before
            self.emit(offered)
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
            self.emit(
                HeartbeatSent(
                    uptime_seconds=uptime,
                    idle_seconds=idle_seconds,
                    mode=self.told.mode,
                    lost_events=self._trouble.lost.total(),
                    null_values=self._entry.null_values,
                    sync_failures=self._journal.sync_failures,
                )
            )

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
            which = {"bot": self.bot, "connection": connection, "venue": venue}
            if up:
                logger.info("a connection is up", extra=which)
            else:  # whoever has just begun looks here, not at the journal
                logger.warning("a connection is down", extra=which | {"reason": scrub(reason or "")[:300]})

    def only_connects(self, connection: str, venues: Collection[str]) -> None:
        """Which venues links of this name go to: others that were told of are not used any more.

        Without a word one that was down when it was taken out of the settings would be down for ever.
        """
        for known in list(self.told.connections):
            venue, _, name = known.rpartition(" ")
            if name == connection and venue not in venues:
                self.emit(ConnectionChanged(connection=connection, venue=venue, up=False, gone=True))

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
        offered = self._commands.offer(command, params, description)
        self._offered[command] = offered
        self.emit(offered)

    async def next_command(self, reachable: asyncio.Event) -> Command:
        """The next command, begun only while the peer can be reached: meanwhile they wait, and expire.

        Finish each with `succeed` or `fail`, once, and say `succeed` only when the peer shows what was asked for. A
        `set_mode` that may not lead out of `halted` is refused here, and so is one whose parameters don't fit. What
        takes long belongs into a task of its own: a halt must not wait until a `close_all` is through.

        One that is not finished when `watch` ends or the process dies is settled by what the journal then shows.

        Args:
            reachable: Set while the peer answers. Await this function directly: a task of its own that is canceled may
                have begun a command that then nobody ends.
        """
        return await self._commands.next(reachable)

    def _settle(self) -> None:
        self._commands.settle()
        for reason, events in self._trouble.unreported():
            if self._entry.attempt(EventsLost(events=events, reason=reason)):
                self._trouble.report(reason, events)

    def _not_kept(self, error: Exception) -> None:
        self._trouble.tell("checkpoint", f"what the source told can't be written down: {error}")

    def _release(self) -> None:
        self._is_taken = False
        self._background.stop()
        try:
            self._journal.close()
        except (OSError, JournalError) as error:
            self._trouble.tell("unsynced", str(error))
        self._commands.close()
