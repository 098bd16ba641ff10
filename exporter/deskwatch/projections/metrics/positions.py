"""Positions that are open, summed over positions of the same labels: an id is never a label."""

from __future__ import annotations

from typing import Any

from deskwatch.events import PositionClosed, PositionOpened, PositionUpdated
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 1000
"""Open positions of one bot that are followed; the oldest is forgotten beyond."""
_LABELS = ("bot", "strategy", "venue", "symbol", "side")


class Positions:
    """`memory` holds each bot's open positions by id: their labels and figures."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.open = registry.gauge("tradebot_positions_open", "Positions that are open.", *_LABELS)
        self.quantity = registry.gauge("tradebot_position_quantity", "Size, in the base asset.", *_LABELS)
        self.entry = registry.gauge("tradebot_position_entry_price", "Average entry, in the quote asset.", *_LABELS)
        self.mark = registry.gauge("tradebot_position_mark_price", "Current price, in the quote asset.", *_LABELS)
        self.unrealized = registry.gauge(
            "tradebot_unrealized_pnl", "Profit or loss at the current price, in `asset`.", *_LABELS, "asset"
        )
        registry.on(PositionOpened, self._opened)
        registry.on(PositionUpdated, self._updated)
        registry.on(PositionClosed, self._closed)

    def _opened(self, record: Record, event: PositionOpened) -> None:
        labels = [record.bot, label(event.strategy), label(event.venue), label(event.symbol), label(event.side)]
        positions = self.memory.setdefault(record.bot, {})
        before = [positions.pop(event.position_id, None)]
        positions[event.position_id] = {
            "labels": labels,
            "asset": label(event.asset),
            "quantity": event.quantity,
            "entry": event.entry_price,
            "mark": None,
            "unrealized": 0.0,
        }
        if len(positions) > MAX_OPEN:
            before.append(positions.pop(next(iter(positions))))
        for gone in before:
            if gone is not None:
                self._show(record.bot, gone["labels"], gone["asset"])
        self._show(record.bot, labels, label(event.asset))

    def _updated(self, record: Record, event: PositionUpdated) -> None:
        position = self.memory.get(record.bot, {}).get(event.position_id)
        if position is None:
            return
        for name, value in (
            ("quantity", event.quantity),
            ("entry", event.entry_price),
            ("mark", event.mark_price),
            ("unrealized", event.unrealized_pnl),
        ):
            if value is not None:
                position[name] = value
        self._show(record.bot, position["labels"], position["asset"])

    def _closed(self, record: Record, event: PositionClosed) -> None:
        position = self.memory.get(record.bot, {}).pop(event.position_id, None)
        if position is not None:
            self._show(record.bot, position["labels"], position["asset"])

    def _show(self, bot: str, labels: list[str], asset: str) -> None:
        """Set the gauges of one label set from the positions that share it."""
        key = tuple(labels)
        alike = [one for one in self.memory[bot].values() if one["labels"] == labels]
        self.open.set(key, len(alike))
        self.quantity.set(key, sum(one["quantity"] or 0.0 for one in alike))
        self.unrealized.set((*key, asset), sum(one["unrealized"] or 0.0 for one in alike if one["asset"] == asset))
        weight = sum(one["quantity"] or 0.0 for one in alike)
        for family, name in ((self.entry, "entry"), (self.mark, "mark")):
            if weight > 0 and all(one[name] is not None for one in alike):
                family.set(key, sum(one[name] * (one["quantity"] or 0.0) for one in alike) / weight)
            else:
                family.remove(key)
