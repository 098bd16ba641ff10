"""Prices of the pairs that freqtrade holds: others it does not tell."""

from __future__ import annotations

import time

from deskwatch.events import PositionUpdated, PriceObserved
from deskwatch.sources.freqtrade.reading import Trade
from deskwatch.sources.watched import Watched

FRESH_SECONDS = 30.0
"""A price that stays the same is told again after this time, so that it does not look old: `BotPriceStale` and the
objective of fresh prices begin at 60 s."""


class Prices:
    """What was told, and when."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._told: dict[tuple[str, str], tuple[float, float]] = {}

    def saw(self, trade: Trade) -> None:
        """An open trade with its price. The position's own mark is told by its differences."""
        if trade.mark is None:
            return
        key, now = (trade.venue, trade.symbol), time.monotonic()
        price, moment = self._told.get(key, (None, 0.0))
        if price == trade.mark and now - moment < FRESH_SECONDS:
            return
        if price == trade.mark:
            self._watched.emit(PositionUpdated(position_id=trade.id, mark_price=trade.mark))
        self._watched.emit(PriceObserved(venue=trade.venue, symbol=trade.symbol, price=trade.mark, asset=trade.asset))
        self._told[key] = trade.mark, now
