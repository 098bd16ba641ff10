"""What a bot holds: it journals events, knows the bot's mode, and brings commands.

    with Recorder.open("arb-1") as recorder:
        while running:
            if recorder.mode is Mode.ACTIVE:
                recorder.emit(OrderSubmitted(…))
            command = recorder.next_command(timeout_seconds=0.5)

Nothing here touches the network or waits for the disk, but for `durable=True` and a command's own steps. In live use
`emit` never raises: what could not be journaled is counted, told once on stderr, and reported by the next heartbeat.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deskwatch import command as commands_module
from deskwatch import encoding
from deskwatch.command import Command, Inbox
from deskwatch.errors import ConfigError, EventError
from deskwatch.events import (
    BotStarted,
    BotStopped,
    CommandAccepted,
    Event,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Writer, names
from deskwatch.journal.notify import Notifier
from deskwatch.mode import at_start, bot_may_change
from deskwatch.trouble import Trouble

if TYPE_CHECKING:  # what only some bots use is imported where they use it: asyncio alone costs 18 ms
    import asyncio

    from deskwatch.child import SidecarChild

HEARTBEAT_SECONDS = 5.0
"""How often a bot says that it lives."""
SYNC_SECONDS = 0.5
"""How often what was journaled is put on disk."""


class Recorder:
    """A bot's journal, mode and commands. Made by `Recorder.open`; safe from many threads.

    Attributes:
        bot: The bot's name.
        run: Id of this start.
        lost: Events that could not be journaled, by reason.
        null_values: Figures that were NaN or infinite and were journaled as null.
    """

    def __init__(self, bot: str, home: Path, writer: str, *, strict: bool) -> None:
        self.bot = bot
        self.home = home
        self.writer = writer
        self.strict = strict
        self._trouble = Trouble(bot)
        self.lost = self._trouble.lost
        self.null_values = 0
        self._journal = Writer(names.writer_folder(home, bot, writer), on_fork=self._forked)
        self.run = self._journal.run
        self._inbox = Inbox(home, bot, names.writer_folder(home, bot, writer))
        self._notifier = Notifier()
        self._mode = Mode.STANDBY
        self._owed: ModeChanged | None = None
        self._mode_lock = threading.RLock()
        self._opened = time.monotonic()
        self._touched = self._opened
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._background, name=f"deskwatch-{bot}", daemon=True)
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._sidecar: SidecarChild | None = None

    @classmethod
    def open(
        cls,
        bot: str,
        *,
        home: str | os.PathLike[str] | None = None,
        writer: str = names.MAIN,
        mode: Mode = Mode.STANDBY,
        version: str | None = None,
        strategy: str | None = None,
        serve: str | None = None,
        strict: bool | None = None,
    ) -> Recorder:
        """Open a bot's journal and go on where its last run ended.

        Args:
            bot: The bot's name: letters, digits, `.`, `_`, `-`.
            home: Folder of all journals; None for `DESKWATCH_HOME`, else `.deskwatch`.
            writer: Name of this process among the bot's writers.
            mode: What a bot never seen before starts in. Later starts are never riskier than the bot last was.
            version: The bot's own version.
            strategy: The bot's strategy, where it has one only.
            serve: `host:port`: also start the sidecar as a child that serves `/metrics`, page and control there.
            strict: Raise on events with wrong fields; None for `DESKWATCH_STRICT` being set.

        Raises:
            ConfigError: A name can't be used.
            WriterLocked: Another process writes under this name.
            OSError: The home can't be written.
        """
        if writer == names.CONTROL or names.SIDECAR in (bot, writer):
            raise ConfigError(f"expected a bot's own name and writer, was {bot!r}, {writer!r}: the sidecar's")
        strict = bool(os.environ.get("DESKWATCH_STRICT")) if strict is None else strict
        recorder = cls(bot, names.prepare_home(Path(home or names.default_home())), writer, strict=strict)
        try:
            recorder._start(mode, version, strategy)
        except BaseException:
            recorder._journal.close()
            recorder._notifier.close()
            raise
        if serve is not None:
            from deskwatch.child import SidecarChild  # noqa: PLC0415  see above

            recorder._sidecar = SidecarChild.start(recorder.home, serve)
        return recorder

    def emit(self, event: Event, *, durable: bool = False) -> None:
        """Journal one event: it is safe from the death of this process when this returns.

        Args:
            event: A fact, as it is now. Figures may be int, float, Decimal or numpy scalars.
            durable: Also wait until the disk has it, so that it is safe from a power loss.

        Raises:
            EventError: In strict mode only: a field is of the wrong type or not finite.
        """
        self._touched = time.monotonic()
        self._emit(event, durable)

    @property
    def mode(self) -> Mode:
        """What the bot may do now.

        Reading it is the bot's safe point: a mode that was asked for takes effect, and is journaled, by the read that
        first returns it. So read it before each order, in the thread that sends it.
        """
        self._touched = time.monotonic()
        if self._inbox.has_waiting():
            self._carry_out_builtins()
        return self._mode

    def set_mode(self, mode: Mode, *, reason: str | None = None) -> Mode:
        """The bot changes its own mode; returns the mode in force, which stays `halted` where it was.

        Args:
            mode: The mode from now on.
            reason: Why, for the operator: `flat`, `daily loss limit` …
        """
        with self._mode_lock:
            if bot_may_change(self._mode, mode):
                self._change_mode(mode, reason=reason, actor="bot", cause=None)
            else:
                self._trouble.tell("mode", f"the bot is halted; only a person can lead it to {mode}")
            return self._mode

    def next_command(self, *, timeout_seconds: float = 0.0) -> Command | None:
        """The next command to carry out, or None when the time is over or the mode has changed.

        A bot's loop can use it as its pause: it ends early when there is something to do.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            before = self._mode
            self._touched = time.monotonic()
            if self._inbox.has_waiting():
                self._carry_out_builtins()
                command = self._deliver()
                if command is not None:
                    return command
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._mode is not before:
                return None
            with self._inbox.arrived:
                if not self._inbox.has_waiting():
                    self._inbox.arrived.wait(min(remaining, HEARTBEAT_SECONDS))

    async def commands(self) -> AsyncIterator[Command]:
        """Commands to carry out, as they come: `async for command in recorder.commands(): …`."""
        import asyncio  # noqa: PLC0415  see above

        woken = asyncio.Event()
        listener = (asyncio.get_running_loop(), woken)
        self._listeners.append(listener)
        try:
            while not self._stop.is_set():
                woken.clear()
                self._touched = time.monotonic()
                self._carry_out_builtins()
                while (command := self._deliver()) is not None:
                    yield command
                await woken.wait()
        finally:
            self._listeners.remove(listener)

    def close(self, reason: str = "closed") -> None:
        """Journal that the bot stopped, put everything on disk, and release the journal. Closing twice is fine."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._wake()
        self._notifier.wake()
        self._thread.join(timeout=2 * SYNC_SECONDS + 1)
        self._beat()  # with the last count of what was lost
        self._emit(BotStopped(reason=reason, uptime_seconds=time.monotonic() - self._opened), False)
        try:
            self._journal.close()
        except OSError as error:
            self._trouble.tell("sync", str(error))
        self._inbox.close()
        if not self._thread.is_alive():
            self._notifier.close()
        if self._sidecar is not None:
            self._sidecar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        self.close("closed" if kind is None else kind.__name__)

    def _start(self, initial: Mode, version: str | None, strategy: str | None) -> None:
        self._journal.open()
        last = commands_module.last_mode(self._journal.folder)
        desired = commands_module.desired_mode(self.home, self.bot)
        self._mode = at_start(last=last, desired=desired, initial=initial)
        self._inbox.open()
        self._notifier.open().watch(self._inbox.folder)
        started = BotStarted(
            pid=os.getpid(), host=socket.gethostname(), mode=self._mode, version=version, strategy=strategy
        )
        self._emit(started, False)
        self._emit(ModeChanged(mode=self._mode, reason="start", actor="bot"), False)
        self._thread.start()

    def _emit(self, event: Event, durable: bool) -> bool:
        """Journal an event; whether that worked."""
        try:
            body = encoding.encode(event)
            if b"null" in body:
                self.null_values += encoding.count_nulls(event, body)
            if self.strict:
                encoding.check(event, body)
            self._journal.append(body, durable=durable)
        except EventError:
            raise
        except OSError as error:
            self._trouble.lose(error.strerror or "OSError", error)
        except Exception as error:
            if self.strict:
                raise EventError(f"{type(event).__name__}: {error}") from error
            self._trouble.lose(type(error).__name__, error)
        else:
            return True
        return False

    def _carry_out_builtins(self) -> None:
        with self._mode_lock:  # over taking and obeying: of two threads, neither overtakes the other's command
            while (accepted := self._inbox.take(builtin=True)) is not None:
                # Not durable: they can be repeated, and a halt must not wait for a disk that stalls.
                command = Command(accepted, lambda event, _: self._emit(event, False))
                command.start()
                if accepted.command == "ping":
                    command.succeed({"run": self.run, "mode": self._mode})
                else:
                    self._obey(accepted, command)

    def _obey(self, accepted: CommandAccepted, command: Command) -> None:
        mode = commands_module.mode_of(accepted)
        if mode is None:
            command.fail(f"expected one of {', '.join(Mode)}, was {accepted.params.get('mode')!r}")
            return
        self._change_mode(mode, reason=accepted.reason, actor=accepted.actor, cause=accepted.command_id)
        command.succeed({"mode": mode})

    def _change_mode(self, mode: Mode, *, reason: str | None, actor: str, cause: str | None) -> None:
        previous, self._mode = self._mode, mode
        if previous is not mode:
            self._owed = ModeChanged(mode=mode, previous=previous, reason=reason, actor=actor, cause=cause)
            self._pay()

    def _pay(self) -> None:
        """Journal the newest mode if that did not work yet, so that a restart knows it."""
        with self._mode_lock:
            if self._owed is not None and self._emit(self._owed, False):
                self._owed = None

    def _deliver(self) -> Command | None:
        accepted = self._inbox.take(builtin=False)
        if accepted is None:
            return None
        command = Command(accepted, self._emit)
        if not command.start():  # a command whose start is not on disk might be carried out twice
            self._inbox.put_back(accepted)
            return None
        return command

    def _background(self) -> None:
        """Put the journal on disk, bring commands and beat, until the recorder is closed."""
        beat = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= beat:
                    beat = time.monotonic() + HEARTBEAT_SECONDS
                    self._beat()
                self._journal.sync()
                if self._inbox.poll():
                    self._wake()
                self._notifier.wait(SYNC_SECONDS)
            except Exception as error:  # whatever it is, the thread goes on: it brings the operator's commands
                self._trouble.tell(type(error).__name__, f"the journal's background work failed: {error}")
                self._stop.wait(SYNC_SECONDS)

    def _forked(self) -> None:
        """In a forked child no command arrives, so it may do nothing; it has to open a recorder of its own."""
        self._mode = Mode.HALTED

    def _beat(self) -> None:
        self._pay()
        now = time.monotonic()
        heartbeat = HeartbeatSent(
            uptime_seconds=now - self._opened,
            idle_seconds=now - self._touched,
            lost_events=self.lost.total(),
            null_values=self.null_values,
        )
        self._emit(heartbeat, False)

    def _wake(self) -> None:
        with self._inbox.arrived:
            self._inbox.arrived.notify_all()
        for loop, woken in list(self._listeners):
            try:
                loop.call_soon_threadsafe(woken.set)
            except RuntimeError:
                continue  # that loop is closed
