"""Market: prices and pools as the bot saw them last."""

from __future__ import annotations

from typing import Any

from deskwatch.events import FundingRateObserved, PoolObserved, PriceObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Market:
    """Prices, each with the time at which it was seen."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.price = registry.gauge("tradebot_price", "Newest price, in the quote asset.", "bot", "venue", "symbol")
        self.seen = registry.gauge(
            "tradebot_price_timestamp_seconds", "Unix time of the newest price.", "bot", "venue", "symbol"
        )
        self.reserve = registry.gauge("tradebot_pool_reserve", "A pool's reserve.", "bot", "venue", "symbol", "asset")
        self.liquidity = registry.gauge(
            "tradebot_pool_liquidity", "Worth of both reserves, in `asset`.", "bot", "venue", "symbol", "asset"
        )
        self.funding = registry.gauge(
            "tradebot_funding_rate_ratio", "Of one interval; positive: longs pay.", "bot", "venue", "symbol"
        )
        registry.on(PriceObserved, self._price)
        registry.on(PoolObserved, self._pool)
        registry.on(FundingRateObserved, self._funding)

    def _price(self, record: Record, event: PriceObserved | PoolObserved) -> None:
        key = (record.bot, label(event.venue), label(event.symbol))
        self.price.set(key, event.price)
        self.seen.set_time(key)

    def _pool(self, record: Record, event: PoolObserved) -> None:
        self._price(record, event)
        key = (record.bot, label(event.venue), label(event.symbol))
        self.reserve.set((*key, label(event.base_asset)), event.base_reserve)
        self.reserve.set((*key, label(event.quote_asset)), event.quote_reserve)
        self.liquidity.set((*key, label(event.quote_asset)), event.liquidity)

    def _funding(self, record: Record, event: FundingRateObserved) -> None:
        self.funding.set((record.bot, label(event.venue), label(event.symbol)), event.rate)
