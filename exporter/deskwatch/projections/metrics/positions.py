"""Positions that are open, joined over positions of the same labels: an id is never a label.

Sizes, margin and profit are summed; prices are weighted by size; of what tells danger the worst counts: the highest
leverage, the least distance to liquidation, the widest divergence, the most erosion. A negative size, price, margin,
leverage or erosion is refused. All of it stays after a bot's death, beside `tradebot_positions_timestamp_seconds`.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import PositionClosed, PositionOpened, PositionUpdated
from deskwatch.journal import Record
from deskwatch.projections.metrics.exposure import Exposure
from deskwatch.projections.metrics.family import Gauge, Labels, label
from deskwatch.projections.metrics.memory import identifier, keep
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 1000
"""Open positions of one bot that are followed; the oldest is forgotten beyond."""
_LABELS = ("bot", "strategy", "venue", "symbol", "side")
_FIELDS = {
    "quantity": "quantity",
    "entry_price": "entry",
    "mark_price": "mark",
    "unrealized_pnl": "unrealized",
    "liquidation_price": "liquidation",
    "leverage": "leverage",
    "margin": "margin",
    "divergence_ratio": "divergence",
    "erosion_ratio": "erosion",
}
"""An event's field → the figure that is remembered."""
_Figures = dict[str, Any]


class Positions:
    """`memory` holds each bot's open positions by id: their labels but for the bot, their asset and figures."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.open = registry.gauge("tradebot_positions_open", "Positions that are open.", *_LABELS)
        self.seen = registry.gauge(
            "tradebot_positions_timestamp_seconds", "Unix time of the newest word on the bot's positions.", "bot"
        )
        self.quantity = registry.gauge("tradebot_position_quantity", "Size, in the base asset.", *_LABELS)
        self.entry = registry.gauge("tradebot_position_entry_price", "Average entry, in the quote asset.", *_LABELS)
        self.mark = registry.gauge("tradebot_position_mark_price", "Current price, in the quote asset.", *_LABELS)
        self.unrealized = registry.gauge(
            "tradebot_unrealized_pnl", "Profit or loss at the current price, in `asset`.", *_LABELS, "asset"
        )
        self.margin = registry.gauge("tradebot_position_margin", "Margin used, in `asset`.", *_LABELS, "asset")
        self.leverage = registry.gauge(
            "tradebot_position_leverage", "Worth over margin, of the position with the highest.", *_LABELS
        )
        self.liquidation = registry.gauge(
            "tradebot_position_liquidation_distance_ratio",
            "How far the current price is from liquidation, as a part of it; 0 at liquidation.",
            *_LABELS,
        )
        self.divergence = registry.gauge(
            "tradebot_position_divergence_ratio", "How far the price of the hedging leg is from this one's.", *_LABELS
        )
        self.erosion = registry.gauge(
            "tradebot_position_erosion_ratio",
            "Share of what it earned or was to earn that costs have eaten; 1 is all.",
            *_LABELS,
        )
        self.exposure = Exposure(registry)
        self._gauges = {
            "quantity": self.quantity,
            "entry": self.entry,
            "mark": self.mark,
            "liquidation": self.liquidation,
            "leverage": self.leverage,
            "margin": self.margin,
            "erosion": self.erosion,
        }
        registry.on(PositionOpened, self._opened)
        registry.on(PositionUpdated, self._updated)
        registry.on(PositionClosed, self._closed)

    def _opened(self, record: Record, event: PositionOpened) -> None:
        self.seen.set_time((record.bot,))
        labels = [label(event.strategy), label(event.venue), label(event.symbol), label(event.side)]
        positions = self.memory.setdefault(record.bot, {})
        position: _Figures = {**dict.fromkeys(_FIELDS.values()), "labels": labels, "asset": label(event.asset)}
        position["unrealized"] = 0.0
        self._take(record.bot, position, event)
        before = positions.get(identifier(event.position_id))
        forgotten = keep(positions, identifier(event.position_id), position, MAX_OPEN)
        for gone in (before, forgotten):
            if gone is not None:
                self._show(record.bot, gone)
        self._show(record.bot, position)

    def _updated(self, record: Record, event: PositionUpdated) -> None:
        self.seen.set_time((record.bot,))
        position = self.memory.get(record.bot, {}).get(identifier(event.position_id))
        if position is not None:
            self._take(record.bot, position, event)
            self._show(record.bot, position)

    def _closed(self, record: Record, event: PositionClosed) -> None:
        self.seen.set_time((record.bot,))
        position = self.memory.get(record.bot, {}).pop(identifier(event.position_id), None)
        if position is not None:
            self._show(record.bot, position)

    def _take(self, bot: str, position: _Figures, event: PositionOpened | PositionUpdated) -> None:
        """Remember the figures that an event names."""
        for field, name in _FIELDS.items():
            value = getattr(event, field, None)
            if value is None:
                continue
            if value < 0 and name in self._gauges:
                self._gauges[name].refuse((bot,), "negative")
            else:
                position[name] = value

    def _show(self, bot: str, position: _Figures) -> None:
        """Set the gauges of a position's labels from the positions that share them."""
        labels, asset = position["labels"], position["asset"]
        positions = self.memory[bot].values()
        alike = [one for one in positions if one["labels"] == labels]
        same_asset = [one for one in alike if one["asset"] == asset]
        key = (bot, *labels)
        self.open.set(key, len(alike))
        self.quantity.set(key, sum(one["quantity"] or 0.0 for one in alike))
        self.unrealized.set((*key, asset), sum(one["unrealized"] for one in same_asset))
        margins = _known(same_asset, "margin")
        _show_if(self.margin, (*key, asset), sum(margins) if margins else None)
        _show_if(self.entry, key, _weighted(alike, "entry"))
        _show_if(self.mark, key, _weighted(alike, "mark"))
        _show_if(self.leverage, key, max(_known(alike, "leverage"), default=None))
        distances = [distance for one in alike if (distance := _distance(one)) is not None]
        _show_if(self.liquidation, key, min(distances, default=None))
        _show_if(self.divergence, key, max(_known(alike, "divergence"), key=abs, default=None))
        _show_if(self.erosion, key, max(_known(alike, "erosion"), default=None))
        self.exposure.show(bot, labels[0], asset, positions)


def _known(positions: list[_Figures], name: str) -> list[float]:
    return [one[name] for one in positions if one[name] is not None]


def _weighted(positions: list[_Figures], name: str) -> float | None:
    """The mean of a price over positions, by size; None where a position has none, or all are of no size."""
    weight = sum(one["quantity"] or 0.0 for one in positions)
    if weight <= 0 or any(one[name] is None for one in positions):
        return None
    return float(sum(one[name] * (one["quantity"] or 0.0) for one in positions) / weight)


def _distance(position: _Figures) -> float | None:
    """How far the mark is from liquidation, as a part of the mark. Venues say 0 where there is no such price."""
    mark, price = position["mark"], position["liquidation"]
    if not mark or not price:
        return None
    falling = (mark - price) / mark
    side = position["labels"][3]
    return float(max({"long": falling, "short": -falling}.get(side, abs(falling)), 0.0))


def _show_if(gauge: Gauge, labels: Labels, value: float | None) -> None:
    if value is None:
        gauge.remove(labels)
    else:
        gauge.set(labels, value)
