"""Funding of perpetual contracts: its rate, and what was exchanged."""

from __future__ import annotations

from typing import Any

from deskwatch.events import FundingPaid, FundingRateObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, FUNDING_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_SYMBOL = ("bot", "venue", "symbol")


class Funding:
    """A rate is of one interval: it can be compared only beside the interval's length. Beyond ±1 it is refused."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.rate = registry.gauge(
            "tradebot_funding_rate_ratio",
            "Funding rate of one interval; positive: longs pay.",
            *_BY_SYMBOL,
            lifetime=FUNDING_SECONDS,
        )
        self.interval = registry.gauge(
            "tradebot_funding_interval_seconds", "Length of a funding interval.", *_BY_SYMBOL, lifetime=FUNDING_SECONDS
        )
        self.next = registry.gauge(
            "tradebot_next_funding_timestamp_seconds",
            "Unix time of the next funding payment.",
            *_BY_SYMBOL,
            lifetime=FUNDING_SECONDS,
        )
        self.seen = registry.gauge(
            "tradebot_funding_rate_timestamp_seconds",
            "Unix time of the newest funding rate.",
            *_BY_SYMBOL,
            lifetime=AGE_SECONDS,
        )
        self.received = registry.counter(
            "tradebot_funding_received", "Funding received, in `asset`.", *_BY_SYMBOL, "asset"
        )
        self.paid = registry.counter(
            "tradebot_funding_paid", "Funding paid, positive, in `asset`.", *_BY_SYMBOL, "asset"
        )
        registry.on(FundingRateObserved, self._rate)
        registry.on(FundingPaid, self._paid)

    def _rate(self, record: Record, event: FundingRateObserved) -> None:
        key = (record.bot, label(event.venue), label(event.symbol))
        if event.rate is not None:
            if -1 <= event.rate <= 1:
                self.rate.set(key, event.rate)
                self.seen.set_time(key)
            else:
                self.rate.refuse(key, "out_of_range")
        set_amount(self.interval, key, event.interval_seconds)
        set_amount(self.next, key, event.next_funding_timestamp_seconds)

    def _paid(self, record: Record, event: FundingPaid) -> None:
        key = (record.bot, label(event.venue), label(event.symbol), label(event.asset))
        amount = event.amount or 0.0
        self.received.inc(key, max(amount, 0.0))
        self.paid.inc(key, max(-amount, 0.0))
