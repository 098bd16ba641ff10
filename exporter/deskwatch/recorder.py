"""What a bot holds: it journals events, knows the bot's mode, and brings commands.

    with Recorder.open("arb-1") as recorder:
        while running:
            if recorder.mode is Mode.ACTIVE:
                recorder.emit(OrderSubmitted(…))
            command = recorder.next_command(timeout_seconds=0.5)

Nothing here touches the network or waits for the disk, but for `durable=True` and a command's own steps. In live use
`emit` never raises: what could not be journaled is counted, told once on stderr, and journaled as `EventsLost` as soon
as writing works again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from deskwatch import command as commands_module
from deskwatch import encoding
from deskwatch.background import HEARTBEAT_SECONDS, Background
from deskwatch.command import Command, Inbox
from deskwatch.entry import Entry
from deskwatch.errors import ConfigError, JournalError, NotSynced
from deskwatch.events import (
    BotStarted,
    BotStopped,
    Event,
    EventsLost,
    HeartbeatSent,
    Json,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Writer, names
from deskwatch.listener import Listener
from deskwatch.mode import at_start, riskier
from deskwatch.silence import Silence
from deskwatch.steering import Steering
from deskwatch.trouble import Trouble

if TYPE_CHECKING:  # what only some bots use is imported where they use it: asyncio alone costs 18 ms
    from deskwatch.child import SidecarChild


class Recorder:
    """A bot's journal, mode and commands. Made by `Recorder.open`; safe from many threads.

    Attributes:
        bot: The bot's name.
        run: Id of this start.
        lost: Events of this run that could not be journaled, by reason.
    """

    def __init__(self, bot: str, home: Path, writer: str, *, strict: bool) -> None:
        self.bot = bot
        self.home = home
        self.writer = writer
        self.strict = strict
        self._trouble = Trouble(bot)
        self.lost = self._trouble.lost
        folder = names.writer_folder(home, bot, writer)
        self._journal = Writer(folder, on_fork=self._forked, on_trouble=self._trouble.befall)
        self._append = self._journal.append
        self.run = self._journal.run
        self._entry = Entry(self._journal, self._trouble, strict=strict)
        self._inbox = Inbox(home, bot, folder)
        self._steering = Steering(self._inbox, self._journal, self._entry, self._trouble)
        self._opened = time.monotonic()
        self._touched = self._opened
        self._emitted = False
        self._background = Background(
            bot, self._trouble, sync=self._journal.sync, poll=self._poll, settle=self._settle, beat=self._beat
        )
        self._listeners: list[Listener] = []
        self._silence: Silence | None = None
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
        silence_seconds: float | None = None,
        silence_mode: Mode = Mode.STANDBY,
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
            silence_seconds: How long the sidecar may be silent before the bot lowers its mode, at its next safe point;
                None for ever. Without any sidecar the time counts from the bot's own start.
            silence_mode: What it is lowered to. It is not raised again when the sidecar is back.

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
            if silence_seconds is not None:
                recorder._silence = Silence(recorder.home, silence_seconds, silence_mode)
            recorder._start(mode, version, strategy)
        except BaseException:
            recorder._background.stop()
            with contextlib.suppress(NotSynced):
                recorder._journal.close()
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
        self._emitted = True
        try:
            body = encoding.encode(event)
            if self.strict or b"null" in body:
                self._entry.look_into(event, body)
            self._append(body, durable=durable)
        except Exception as error:
            self._entry.failed(event, error)

    @property
    def null_values(self) -> int:
        """Figures that were NaN or infinite and were journaled as null."""
        return self._entry.null_values

    @property
    def mode(self) -> Mode:
        """What the bot may do now.

        Reading it is the bot's safe point: a mode that was asked for takes effect, and is journaled, by the read that
        first returns it. So read it before each order, in the thread that sends it.
        """
        self._touched = time.monotonic()
        if self._inbox.has_waiting() or self._steering.lowering is not None:
            self._steering.obey()
        return self._steering.mode

    def set_mode(self, mode: Mode, *, reason: str | None = None) -> Mode:
        """The bot changes its own mode; returns the mode in force, which stays `halted` where it was.

        Args:
            mode: The mode from now on.
            reason: Why, for the operator: `flat`, `daily loss limit` …
        """
        return self._steering.set_mode(mode, reason)

    def register(
        self, command: str, params: type[msgspec.Struct] | Mapping[str, Json], *, description: str = ""
    ) -> None:
        """Offer a command of the bot's own: operators can then give it, and its parameters are checked.

        Args:
            command: Its type: lower-case letters, digits and `_`.
            params: Its parameters: a msgspec Struct, which a delivered command has as `parsed`, or a JSON Schema.
            description: What it does, for the operator.

        Raises:
            ConfigError: Something of it can't be used.
        """
        self._entry.emit(self._steering.offers.add(command, params, description), False)

    def next_command(self, *, timeout_seconds: float = 0.0) -> Command | None:
        """The next command to carry out, or None when the time is over or the mode has changed.

        A bot's loop can use it as its pause: it ends early when there is something to do.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            before = self._steering.mode
            self._touched = time.monotonic()
            if self._steering.has_work():
                self._steering.obey()
                command = self._steering.deliver()
                if command is not None:
                    return command
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._steering.mode is not before:
                return None
            with self._inbox.arrived:
                if not self._steering.has_work():
                    self._inbox.arrived.wait(min(remaining, HEARTBEAT_SECONDS))
                elif (pause := self._steering.pause()) > 0:
                    self._inbox.arrived.wait(min(remaining, pause))

    async def commands(self) -> AsyncIterator[Command]:
        """Commands to carry out, as they come: `async for command in recorder.commands(): …`."""
        import asyncio  # noqa: PLC0415  see above

        woken = asyncio.Event()
        listener = Listener(asyncio.get_running_loop(), woken)
        self._listeners.append(listener)
        try:
            while not self._background.stopped.is_set():
                woken.clear()
                self._touched = time.monotonic()
                self._steering.obey()
                while (command := self._steering.deliver()) is not None:
                    yield command
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        max(self._steering.pause(), 0.01) if self._steering.has_work() else None
                    ):  # what could not be begun is tried again
                        await woken.wait()
        finally:
            self._listeners.remove(listener)

    def close(self, reason: str = "closed") -> None:
        """Journal that the bot stopped, put everything on disk, and release the journal. Closing twice is fine."""
        if self._background.stopped.is_set():
            return
        self._background.stop()
        self._wake()
        self._beat()  # with the last counts
        self._settle()
        self._entry.emit(BotStopped(reason=reason, uptime_seconds=time.monotonic() - self._opened), False)
        try:
            self._journal.close()
        except (OSError, JournalError) as error:
            self._trouble.tell("unsynced", str(error))
        self._inbox.close()
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
        mode = at_start(last=last, desired=desired, initial=initial)
        halted_ts = commands_module.own_halt_ts(self._journal.folder) if mode is Mode.HALTED else 0
        self._steering.begin(mode, halted_ts)
        self._inbox.open()
        self._background.watch(self._inbox.folder)
        started = BotStarted(pid=os.getpid(), host=os.uname().nodename, mode=mode, version=version, strategy=strategy)
        self._entry.emit(started, False)
        self._entry.emit(ModeChanged(mode=mode, reason="start", actor="bot"), False)
        self._background.start()

    def _poll(self) -> None:
        if self._emitted:  # looking at the clock here costs `emit` nothing
            self._emitted = False
            self._touched = time.monotonic()
        if self._inbox.poll():
            self._wake()
        silence = self._silence
        if silence is not None and silence.lasts() and riskier(self._steering.mode, silence.mode):
            self._steering.lowering = silence.mode, f"the sidecar was silent for {silence.seconds:g} s"
            self._wake()

    def _settle(self) -> None:
        """Journal what could not be journaled so far: the newest mode, and how many events were lost."""
        self._steering.settle()
        for reason, events in self._trouble.unreported():
            if self._entry.attempt(EventsLost(events=events, reason=reason)):
                self._trouble.report(reason, events)

    def _beat(self) -> None:
        lags = [lag for listener in list(self._listeners) if (lag := listener.lag_seconds()) is not None]
        with self._steering.lock:  # so that no older mode is told after a newer one
            now = time.monotonic()
            heartbeat = HeartbeatSent(
                uptime_seconds=now - self._opened,
                idle_seconds=now - self._touched,
                lost_events=self.lost.total(),
                null_values=self.null_values,
                loop_lag_seconds=max(lags, default=None),
                mode=self._steering.mode,
                sync_failures=self._journal.sync_failures,
            )
            self._entry.attempt(heartbeat)

    def _forked(self) -> None:
        """In a forked child everything is the parent's; the child has to open a recorder of its own."""
        self._steering.forked()
        self._inbox.forked()
        self._trouble.forked()
        self._background.forked()
        self._listeners.clear()
        self._sidecar = None

    def _wake(self) -> None:
        with self._inbox.arrived:
            self._inbox.arrived.notify_all()
        for listener in list(self._listeners):
            listener.wake()
