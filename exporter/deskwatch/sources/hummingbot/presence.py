"""Whether Hummingbot is there, since when, and what it may do.

It sends a heartbeat in 10 s, and `online` whenever its bridge connects to the broker: at its start, and after each cut.
Its end it says seldom: a crash says nothing, and `offline` is mostly lost, as the bridge is canceled before it is sent
(`MQTTGateway.stop`); it is also said where only the bridge is stopped and trading goes on. So silence is told as a lost
connection, and an end only where no strategy ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from deskwatch.events import Mode
from deskwatch.sources.hummingbot.errors import NoReply
from deskwatch.sources.hummingbot.payload import Fields, moment, text
from deskwatch.sources.hummingbot.rpc import Rpc
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.hummingbot.strategy import BRIDGE_STARTED, Strategy
from deskwatch.sources.watched import Watched

PEER = "hummingbot"
BEAT = "heartbeat"
LINK = "mqtt"
ASK_SECONDS = 10.0
"""Most time for its word on its strategy when it is asked regularly."""


class Presence:
    """Tells its starts, its mode, its heartbeats and its silence.

    Attributes:
        is_there: Set while heartbeats come.
        is_changing: Whether a command changes its mode just now: whoever gave it is told with the new one.

    Args:
        watched: Where it is told.
        settings: How long is silent.
        rpc: For its word on its strategy.
        strategy: What is known of that.
        seen: Awaited after each look, before the heartbeat: what is read back then.
    """

    def __init__(
        self,
        watched: Watched,
        settings: Settings,
        rpc: Rpc,
        strategy: Strategy,
        seen: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.is_there = asyncio.Event()
        self.is_changing = False
        self._watched = watched
        self._settings = settings
        self._rpc = rpc
        self._strategy = strategy
        self._seen = seen
        self._woken = asyncio.Event()
        self._lock = asyncio.Lock()
        self._beat_ts: float | None = None
        self._beat = 0.0
        self._online: float | None = None
        self._is_restarted = False
        self._is_telling = False

    def heartbeat(self, told: Fields) -> None:
        """A heartbeat came. One with the time of the one before is a repetition, and shows nothing."""
        at = moment(told.get("ts"))
        if at is None or at == self._beat_ts:
            self._watched.health.failed("heartbeat")
            return
        self._beat_ts, self._beat = at, time.monotonic()
        self._watched.health.heard()
        if self.is_there.is_set() and self._watched.told.is_running and not self._is_telling:
            self._watched.alive()
        self._arrive()

    def status_update(self, told: Fields) -> None:
        """Its bridge says that it is there, or leaves."""
        if text(told.get("type"), 40) != "availability":
            return
        message = text(told.get("msg"), 40)
        if message == "online":
            self._online, self._beat = moment(told.get("timestamp")), time.monotonic()
            self._arrive()
            self.look_soon()
        elif message == "offline":
            self._leave("it said that it is offline: it ended, or its MQTT bridge was stopped")
            if self._strategy.runs is False:
                self._watched.stopped("it said that it is offline, and no strategy ran")

    def log(self, told: Fields) -> None:
        """A record of its log came."""
        if self._strategy.log(told):
            self.look_soon()
        elif text(told.get("msg"), 100) == BRIDGE_STARTED and self._watched.told.boot != self._boot():
            self._is_restarted = True
            self._strategy.forget()
            self.look_soon()

    def look_soon(self) -> None:
        """Ask it for its state at once."""
        self._woken.set()

    def connected(self) -> None:
        """The broker is reached."""
        self._watched.connected(LINK, "broker", up=True)
        self._beat = time.monotonic()  # from now on it may be heard

    def cut(self, reason: str) -> None:
        """The broker is not reached: nothing is known of Hummingbot."""
        self._watched.connected(LINK, "broker", up=False, reason=reason)
        self._leave("the broker is not reached")

    async def run(self) -> None:
        """Watch for its silence, and ask for its state regularly, and at once where something calls for it."""
        look_at = 0.0
        await self.ask()  # it may be 10 s to its next heartbeat
        if not self._rpc.is_silent:
            self._arrive()
        while True:
            now = time.monotonic()
            if now - self._beat >= self._settings.silent_seconds:
                self._leave(f"no heartbeat for {self._settings.silent_seconds:g} s")
            if self.is_there.is_set() and (self._woken.is_set() or now >= look_at):
                self._woken.clear()
                await self.look()
                look_at = time.monotonic() + self._settings.poll_seconds
                continue
            until = [self._beat + self._settings.silent_seconds] if self.is_there.is_set() else []
            until += [look_at] if self.is_there.is_set() else []
            with contextlib.suppress(TimeoutError):
                silent_for = min(until) - now if until else self._settings.silent_seconds
                async with asyncio.timeout(max(silent_for, 0.01)):
                    await (self._woken if self.is_there.is_set() else self.is_there).wait()

    async def look(self) -> None:
        """Ask whether its strategy runs, and tell what is new."""
        async with self._lock:
            await self.ask()
            mode = self.mode
            had_started = self._watched.told.boot is not None
            boot = self._boot() if self._is_restarted or not self._watched.told.is_running else self._watched.told.boot
            is_new = self._watched.started(
                boot or self._boot(), mode or Mode.ACTIVE, host="unknown", strategy=self._settings.strategy
            )
            self._is_restarted = False
            if not is_new and mode is not None and not self.is_changing:
                self._watched.show_mode(mode)
            self._is_telling = is_new  # its history comes before its heartbeat
            try:
                await self._seen(is_new and had_started)
            finally:
                self._is_telling = False
            self._watched.alive()

    async def ask(self) -> None:
        """Ask `status`; what it told is in the strategy."""
        with contextlib.suppress(NoReply):
            self._strategy.status(await self._rpc.ask("status", {"async_backend": False}, seconds=ASK_SECONDS))

    @property
    def mode(self) -> Mode | None:
        """What it may do: trade while a strategy runs, and nothing else; None where nothing told."""
        if self._strategy.runs is None:
            return None
        return Mode.ACTIVE if self._strategy.runs else Mode.HALTED

    def _boot(self) -> str:
        """What tells its start from others: when it said that it is online, else when it was first heard, in ms."""
        at = self._online if self._online is not None else self._beat_ts
        return str(int((time.time() if at is None else at) * 1000))

    def _arrive(self) -> None:
        self._watched.connected(BEAT, PEER, up=True)
        if not self.is_there.is_set():
            self.is_there.set()
            self.look_soon()

    def _leave(self, reason: str) -> None:
        if self.is_there.is_set() or self._watched.told.connections.get(f"{PEER} {BEAT}") is not False:
            self.is_there.clear()
            self._watched.health.lost()
            self._watched.connected(BEAT, PEER, up=False, reason=reason)
