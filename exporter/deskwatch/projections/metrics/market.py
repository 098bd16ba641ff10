"""Market: prices as the bot saw them last, from price feeds and from pools.

A price is above 0; another one is refused, and the time of the newest price stays.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import PoolObserved, PriceObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount, set_change, set_price
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_SYMBOL = ("bot", "venue", "symbol")


class Market:
    """Prices, each with the time at which it was seen."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.price = registry.gauge(
            "tradebot_price", "Newest price, in the quote asset.", *_BY_SYMBOL, lifetime=MARKET_SECONDS
        )
        self.seen = registry.gauge(
            "tradebot_price_timestamp_seconds", "Unix time of the newest price.", *_BY_SYMBOL, lifetime=AGE_SECONDS
        )
        self.change = registry.gauge(
            "tradebot_price_change_24h_ratio", "Change over 24 hours.", *_BY_SYMBOL, lifetime=MARKET_SECONDS
        )
        self.volume = registry.gauge(
            "tradebot_market_volume_24h",
            "Traded by everyone at the venue over 24 hours, in `asset`.",
            *_BY_SYMBOL,
            "asset",
            lifetime=MARKET_SECONDS,
        )
        self.reserve = registry.gauge(
            "tradebot_pool_reserve", "A liquidity pool's reserve.", *_BY_SYMBOL, "asset", lifetime=MARKET_SECONDS
        )
        self.liquidity = registry.gauge(
            "tradebot_pool_liquidity",
            "Worth of a liquidity pool's both reserves, in `asset`.",
            *_BY_SYMBOL,
            "asset",
            lifetime=MARKET_SECONDS,
        )
        registry.on(PriceObserved, self._price)
        registry.on(PoolObserved, self._pool)

    def _price(self, record: Record, event: PriceObserved) -> None:
        key = (record.bot, label(event.venue), label(event.symbol))
        if set_price(self.price, key, event.price):
            self.seen.set_time(key)
        if event.change_24h_ratio is not None:
            set_change(self.change, key, event.change_24h_ratio)
        if event.volume_24h is not None:
            set_amount(self.volume, (*key, label(event.asset)), event.volume_24h)

    def _pool(self, record: Record, event: PoolObserved) -> None:
        key = (record.bot, label(event.venue), label(event.symbol))
        if set_price(self.price, key, event.price):
            self.seen.set_time(key)
        set_amount(self.reserve, (*key, label(event.base_asset)), event.base_reserve)
        set_amount(self.reserve, (*key, label(event.quote_asset)), event.quote_reserve)
        set_amount(self.liquidity, (*key, label(event.quote_asset)), event.liquidity)
