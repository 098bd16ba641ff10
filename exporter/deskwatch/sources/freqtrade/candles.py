"""Whether freqtrade still gets candles: a connection of its own, `candles`, that is up while new ones come."""

from __future__ import annotations

import time
from collections.abc import Callable

from deskwatch.sources.freqtrade.reading import Raw, positive, text
from deskwatch.sources.watched import Watched

NAME = "candles"
LATE_CANDLES = 2.0
"""Candles are missed when none came for so many of their lengths …"""
LATE_SECONDS = 30.0
"""… and this: freqtrade asks for them once they are complete, and the exchange takes its time."""


class Candles:
    """Judged by the stream's `new_candle`.

    Nothing is said while the stream is cut or the trader stopped, nor of a freqtrade that never told of a candle.

    Args:
        watched: Told of it.
        clock: Gives seconds that never go back.
    """

    def __init__(self, watched: Watched, clock: Callable[[], float] = time.monotonic) -> None:
        self._watched = watched
        self._clock = clock
        self._seen: float | None = None
        self._timeframe: str | None = None
        self._length: float | None = None

    def configure(self, config: dict[str, Raw]) -> None:
        """As `/show_config` has it. Candles of an exchange that it had before are missed by nobody."""
        if (venue := text(config.get("exchange"))) is not None:
            self._watched.only_connects(NAME, [venue])
        self._timeframe = text(config.get("timeframe"))
        length = positive(config.get("timeframe_ms"))
        self._length = None if length is None else length / 1000

    def came(self, message: dict[str, Raw], venue: str) -> None:
        """A `new_candle`: `data` is pair, length and market. Other lengths are the strategy's own affair."""
        data = message.get("data")
        if venue and isinstance(data, list) and len(data) >= 2 and data[1] == self._timeframe:
            self._seen = self._clock()
            self._watched.connected(NAME, venue, up=True)

    def judge(self, venue: str, *, is_expected: bool) -> None:
        """Say so if none came for too long.

        Args:
            venue: The exchange.
            is_expected: Whether the stream is there and the trader works.
        """
        if not is_expected or self._length is None:
            if self._seen is not None:
                self._seen = self._clock()
            return
        if self._seen is None and f"{venue} {NAME}" in self._watched.told.connections:
            self._seen = self._clock()  # it told of them before this watch
        if self._seen is not None and self._clock() - self._seen > LATE_CANDLES * self._length + LATE_SECONDS:
            self._watched.connected(NAME, venue, up=False, reason="no_new_candle")
