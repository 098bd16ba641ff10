"""Books: the top of an order book as the bot saw it last.

A bid or ask is above 0; another one is refused. A book that is crossed for a moment has a spread below 0, which is
shown.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import BookObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount, set_price
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_SYMBOL = ("bot", "venue", "symbol")


class Books:
    """Bid, ask, and what lies between and at them."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.bid = registry.gauge(
            "tradebot_book_bid", "Best bid, in the quote asset.", *_BY_SYMBOL, lifetime=MARKET_SECONDS
        )
        self.ask = registry.gauge(
            "tradebot_book_ask", "Best ask, in the quote asset.", *_BY_SYMBOL, lifetime=MARKET_SECONDS
        )
        self.spread = registry.gauge(
            "tradebot_book_spread_ratio",
            "Ask less bid, as a part of the price between.",
            *_BY_SYMBOL,
            lifetime=MARKET_SECONDS,
        )
        self.depth = registry.gauge(
            "tradebot_book_depth",
            "Size at the best price of a side, `bid` or `ask`, in the base asset.",
            *_BY_SYMBOL,
            "side",
            lifetime=MARKET_SECONDS,
        )
        self.seen = registry.gauge(
            "tradebot_book_timestamp_seconds", "Unix time of the newest book.", *_BY_SYMBOL, lifetime=AGE_SECONDS
        )
        registry.on(BookObserved, self._book)

    def _book(self, record: Record, event: BookObserved) -> None:
        key = (record.bot, label(event.venue), label(event.symbol))
        has_bid = set_price(self.bid, key, event.bid)
        has_ask = set_price(self.ask, key, event.ask)
        if has_bid or has_ask:
            self.seen.set_time(key)
        if has_bid and has_ask:
            bid, ask = event.bid or 0.0, event.ask or 0.0
            middle = bid / 2 + ask / 2
            self.spread.set(key, (ask - bid) / middle if middle > 0 else 0.0)  # half of the least number is 0
        set_amount(self.depth, (*key, "bid"), event.bid_quantity)
        set_amount(self.depth, (*key, "ask"), event.ask_quantity)
