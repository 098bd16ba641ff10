"""What the three bots share: time that passes, prices that wander, orders that end later, commands that are obeyed."""

from __future__ import annotations

import heapq
import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from deskwatch import Command, Mode, Recorder
from deskwatch.events import (
    BalanceObserved,
    ConfigReloaded,
    ConnectionChanged,
    EquityObserved,
    ErrorOccurred,
    Event,
    LogRecorded,
    PoolUsageObserved,
    PositionClosed,
    RequestCompleted,
    TransferRecorded,
    WatchlistChanged,
    WatchStarted,
    WatchStopped,
)

TICK_SECONDS = 0.25


class Rebalance(msgspec.Struct):
    """Parameters of a command of the bot's own."""

    share: float


class Trader:
    """One bot's life. Who inherits it fills in `trade`, which is called once a tick while the bot is active.

    Attributes:
        held: Ids of its open positions, with what tells of their end.
    """

    venue = "amber"
    asset = "USDC"
    strategy = "s"
    symbols: tuple[str, ...] = ("WETH/USDC", "WBTC/USDC")

    def __init__(self, recorder: Recorder, seed: int) -> None:
        self.recorder = recorder
        self.dice = random.Random(seed)
        self.equity = 100_000.0
        self.prices = {"WETH/USDC": 3000.0, "WBTC/USDC": 60_000.0}
        self.held: dict[str, PositionClosed] = {}
        self.ticks = 0
        self._run = uuid.uuid4().hex[:6]
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def tick(self) -> None:
        """Live for a moment."""
        self.ticks += 1
        for symbol in self.prices:
            self.prices[symbol] *= 1 + self.dice.gauss(0, 0.0008)
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self.watch()
        if self.recorder.mode is Mode.ACTIVE:
            self.trade()
        if self.every(4):
            self._account()
        if self.every(20):
            self._mishap()

    def watch(self) -> None:
        """See the market: in every mode."""

    def trade(self) -> None:
        """Act: in the active mode only."""

    def emit(self, *events: Event) -> None:
        """Journal."""
        for event in events:
            self.recorder.emit(event)

    def every(self, ticks: int) -> bool:
        """Whether it is time again."""
        return self.ticks % ticks == 0

    def name(self, prefix: str) -> str:
        """An id that no other run gave."""
        return f"{prefix}-{self._run}-{next(self._numbers)}"

    def trace(self) -> str:
        """A trace's id."""
        return f"{self.dice.getrandbits(128):032x}"

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do this at the tick that comes after so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), act))

    def close(self, position_id: str) -> None:
        """Tell of a position's end, if it is open."""
        closed = self.held.pop(position_id, None)
        if closed is not None:
            self.equity += closed.realized_pnl or 0.0
            self.emit(closed)

    def obey(self, command: Command) -> None:
        """Do what an operator asks. What it can't do fails."""
        params = command.params
        match command.type:
            case "close_all":
                for position in list(self.held):
                    self.close(position)
            case "close_position" if params.get("position_id") in self.held:
                self.close(str(params["position_id"]))
            case "close_position":
                command.fail("no such position")
                return
            case "set_watchlist":
                self.emit(WatchlistChanged(symbols=params["symbols"], reason=command.reason))
            case "reload_config":
                self.emit(ConfigReloaded(version="7c1d", changed=["max_spread"]))
            case "rebalance" if params["share"] > 1:
                command.fail("a share is at most 1")
                return
        command.succeed()

    def _account(self) -> None:
        self.equity *= 1 + self.dice.gauss(-0.0005, 0.004)
        held = {self.asset: self.equity * 0.6, "ETH": self.equity * 0.4 / 3000}
        self.emit(EquityObserved(equity=self.equity, asset=self.asset, strategy=self.strategy))
        for asset, total in held.items():
            self.emit(BalanceObserved(venue=self.venue, asset=asset, total=total, free=total * 0.8))
        for pool, resource, capacity in (("http", "connection", 32), ("jobs", "task", 100), ("quotes", "cache", 5000)):
            used = self.dice.uniform(0.2, 0.7) * capacity
            more: dict[str, Any] = {"hits": 9 * self.ticks, "misses": self.ticks} if resource == "cache" else {}
            usage = PoolUsageObserved(pool=pool, resource=resource, used=used, capacity=capacity, **more)  # type: ignore[arg-type]  # one of the literals
            self.emit(usage)

    def _mishap(self) -> None:
        """What goes wrong, and right again: requests, links, errors; money that comes and goes."""
        link: dict[str, Any] = {"connection": "market_data", "venue": self.venue}
        self.emit(
            ConnectionChanged(up=False, reason="reset by peer", **link),
            RequestCompleted(
                venue=self.venue,
                operation="quote",
                ok=False,
                latency_seconds=1.2,
                reason=self.dice.choice(("timeout", "limit")),
            ),
            ErrorOccurred(component="feed", kind="ConnectionError", message="reset by peer", exc_info="Traceback …"),
            LogRecorded(message="the feed is gone, trying again", levelname="WARNING", name="bot.feed"),
            TransferRecorded(venue=self.venue, asset=self.asset, amount=250.0, strategy=self.strategy),
            TransferRecorded(venue=self.venue, asset=self.asset, amount=-240.0, strategy=self.strategy),
        )
        self.later(1.0, lambda: self.emit(ConnectionChanged(up=True, **link)))
        self.emit(
            WatchStopped(source="freqtrade", reason="ReadTimeout"),
            WatchStarted(source="freqtrade", peer="http://freqtrade:8080"),
        )

    def begin(self) -> None:
        """What is told once, after the start."""
        self.recorder.register("rebalance", Rebalance, description="Spreads what is held.")
        self.emit(
            WatchlistChanged(symbols=list(self.symbols), reason="start"),
            ConnectionChanged(connection="market_data", venue=self.venue, up=True),
            ConfigReloaded(version="7c1c"),
            WatchStarted(source="freqtrade", peer="http://freqtrade:8080"),
            LogRecorded(message="ready", levelname="INFO", name="bot", extra={"symbols": len(self.symbols)}),
        )

    def requests(self, *operations: str) -> Iterator[Event]:
        """Requests that were answered."""
        for operation in operations:
            seconds = self.dice.lognormvariate(-3.5, 0.6)
            yield RequestCompleted(venue=self.venue, operation=operation, ok=True, latency_seconds=seconds)
