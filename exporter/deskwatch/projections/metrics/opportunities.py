"""Opportunities: found, taken, missed.

One is taken by the first order whose `cause` is the opportunity, or a decision whose `cause` it is. One that was gone
when taken counts as taken and as missed.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import DecisionMade, OpportunityFound, OpportunityMissed, OrderSubmitted
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_change
from deskwatch.projections.metrics.lifetimes import MARKET_SECONDS
from deskwatch.projections.metrics.memory import identifier, keep
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 1000
"""Opportunities of one bot, and decisions on them, that are remembered; the oldest is forgotten beyond."""
_BY_SYMBOL = ("bot", "strategy", "symbol")


class Opportunities:
    """`memory` holds each bot's open opportunities with their labels, and which one a decision was about."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.found = registry.counter("tradebot_opportunities_found", "Opportunities seen.", *_BY_SYMBOL)
        self.taken = registry.counter(
            "tradebot_opportunities_taken", "Opportunities that an order came of.", *_BY_SYMBOL
        )
        self.missed = registry.counter(
            "tradebot_opportunities_missed", "Opportunities not taken.", *_BY_SYMBOL, "reason"
        )
        self.expected = registry.counter(
            "tradebot_opportunities_expected_profit",
            "Sum of what opportunities were expected to make, where that was more than nothing, in `asset`.",
            *_BY_SYMBOL,
            "asset",
        )
        self.spread = registry.gauge(
            "tradebot_opportunity_spread_ratio",
            "Relative price difference of the newest opportunity, before costs.",
            *_BY_SYMBOL,
            lifetime=MARKET_SECONDS,
        )
        registry.on(OpportunityFound, self._found)
        registry.on(OpportunityMissed, self._missed)
        registry.on(DecisionMade, self._decided)
        registry.on(OrderSubmitted, self._ordered)

    def _found(self, record: Record, event: OpportunityFound) -> None:
        key = (record.bot, label(event.strategy), label(event.symbol))
        self.found.inc(key)
        self.taken.inc(key, 0)
        if event.expected_profit is not None:
            self.expected.inc((*key, label(event.asset)), max(event.expected_profit, 0.0))
        set_change(self.spread, key, event.spread_ratio)
        known = self.memory.setdefault(record.bot, {"open": {}, "decisions": {}})
        keep(known["open"], identifier(event.opportunity_id), list(key[1:]), MAX_OPEN)

    def _missed(self, record: Record, event: OpportunityMissed) -> None:
        self.missed.inc((record.bot, label(event.strategy), label(event.symbol), label(event.reason)))
        known = self.memory.get(record.bot)
        if known is not None:
            known["open"].pop(identifier(event.opportunity_id), None)

    def _decided(self, record: Record, event: DecisionMade) -> None:
        if event.cause is None or (known := self.memory.get(record.bot)) is None:
            return
        opportunity = identifier(event.cause)
        if opportunity in known["open"]:
            keep(known["decisions"], identifier(event.decision_id), opportunity, MAX_OPEN)

    def _ordered(self, record: Record, event: OrderSubmitted) -> None:
        if event.cause is None or (known := self.memory.get(record.bot)) is None:
            return
        cause = identifier(event.cause)
        labels = known["open"].pop(known["decisions"].pop(cause, cause), None)
        if labels is not None:
            self.taken.inc((record.bot, *labels))
