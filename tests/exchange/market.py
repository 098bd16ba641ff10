"""Prices that are the same in every run at the same time since its start, but for the moves that a test makes."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MINUTE = 60.0
SAMPLES = 6
"""Moments of a candle at which its high and low are looked for."""


class Listed(NamedTuple):
    """What is traded.

    Attributes:
        base: What is bought: `BTC`.
        price: About what it costs, in the quote.
        tick: Step of its price.
        lot: Step of its amount.
    """

    base: str
    price: float
    tick: float
    lot: float
    quote: str = "USDT"

    @property
    def id(self) -> str:
        """As Binance names it: `BTCUSDT`."""
        return self.base + self.quote


LISTED = (
    Listed("BTC", 60_000.0, 0.01, 0.00001),
    Listed("ETH", 3_000.0, 0.01, 0.0001),
    Listed("SOL", 150.0, 0.01, 0.001),
    Listed("XRP", 0.6, 0.0001, 0.1),
    Listed("ADA", 0.45, 0.0001, 0.1),
    Listed("LINK", 14.0, 0.001, 0.01),
)


class Candle(NamedTuple):
    """One candle. `opened` is in seconds, `volume` in the base."""

    opened: float
    open: float
    high: float
    low: float
    close: float
    volume: float


class Market:
    """All prices. A price swings about its mean in waves of 17 s to 11 min, each symbol in a rhythm of its own.

    Args:
        listed: What is traded.
        swing: How far the waves go together, as a part of the price.
    """

    def __init__(self, listed: Sequence[Listed] = LISTED, swing: float = 0.01) -> None:
        self.listed = {one.id: one for one in listed}
        self._swing = swing
        self._moves: dict[str, list[tuple[float, float]]] = {one: [] for one in self.listed}
        self._still: float | None = None
        self._candles: dict[tuple[str, float, float], Candle] = {}

    def move(self, pair: str, factor: float) -> None:
        """From now on a symbol costs this many times as much. `BTC/USDT` or `BTC/USDT:USDT`."""
        symbol = pair.partition(":")[0].replace("/", "")
        if symbol not in self._moves:
            raise KeyError(f"expected one of {', '.join(self._moves)}, was {symbol!r}")
        self._moves[symbol].append((time.time(), factor))

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Meanwhile no price changes."""
        self._still = time.time()
        try:
            yield
        finally:
            self._still = None

    def price(self, symbol: str, at: float | None = None) -> float:
        """What it costs at a time; by default now."""
        at = time.time() if at is None else at
        at = at if self._still is None else min(at, self._still)
        listed = self.listed[symbol]
        phase = sum(symbol.encode()) % 97
        waves = ((17.0, 0.15), (47.0, 0.3), (131.0, 0.3), (661.0, 0.25))
        wave = sum(share * math.sin(2 * math.pi * at / seconds + phase * seconds) for seconds, share in waves)
        factor = math.prod(factor for since, factor in self._moves[symbol] if since <= at)
        return self._round(listed, listed.price * math.exp(self._swing * wave) * factor)

    def candles(self, symbol: str, seconds: float, limit: int, until: float | None = None) -> list[Candle]:
        """The newest candles that opened before a time, the one under way among them, oldest first."""
        now = time.time()
        last = math.floor((now if until is None else min(until, now)) / seconds) * seconds
        return [self._candle(symbol, last - seconds * back, seconds, now) for back in range(limit - 1, -1, -1)]

    def book(self, symbol: str, levels: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Bids and asks, best first, each with its amount; there is enough for any test's orders."""
        listed, middle = self.listed[symbol], self.price(symbol)
        step = max(listed.tick, middle * 0.0001)
        amount = 100_000.0 / listed.price
        bids = [(self._round(listed, middle - step * (1 + level)), amount) for level in range(levels)]
        asks = [(self._round(listed, middle + step * (1 + level)), amount) for level in range(levels)]
        return bids, asks

    def _candle(self, symbol: str, opened: float, seconds: float, now: float) -> Candle:
        key = symbol, opened, seconds
        if (known := self._candles.get(key)) is not None:
            return known
        ended = min(opened + seconds, now)
        prices = [self.price(symbol, opened + (ended - opened) * part / SAMPLES) for part in range(SAMPLES + 1)]
        made = Candle(opened, prices[0], max(prices), min(prices), prices[-1], 10_000.0 / self.listed[symbol].price)
        if opened + seconds <= now:
            self._candles[key] = made
        return made

    @staticmethod
    def _round(listed: Listed, price: float) -> float:
        digits = max(0, round(-math.log10(listed.tick)))
        return round(round(price / listed.tick) * listed.tick, digits)
