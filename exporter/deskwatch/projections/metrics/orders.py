"""Orders and fills: how many, how fast, what failed."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.between import seconds_between
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 10_000
"""Orders whose submission is remembered to time them; the oldest is forgotten beyond."""
_BY_SIDE = ("bot", "strategy", "venue", "symbol", "side")
_BY_SYMBOL = ("bot", "strategy", "venue", "symbol")


_Order = OrderSubmitted | OrderFilled | OrderRejected | OrderCanceled | OrderExpired


class Orders:
    """The life of orders. `memory` holds the time and strategy of those that are open."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.submitted = registry.counter("tradebot_orders_submitted", "Orders sent to a venue.", *_BY_SIDE)
        self.filled = registry.counter("tradebot_orders_filled", "Orders filled completely.", *_BY_SIDE)
        self.failed = registry.counter(
            "tradebot_orders_failed", "Orders that a venue or chain refused.", *_BY_SYMBOL, "reason"
        )
        self.canceled = registry.counter("tradebot_orders_canceled", "Orders canceled before completion.", *_BY_SYMBOL)
        self.expired = registry.counter("tradebot_orders_expired", "Orders that ran out of time.", *_BY_SYMBOL)
        self.fills = registry.counter("tradebot_fills", "Fills, whole or in part.", *_BY_SIDE)
        self.volume = registry.counter("tradebot_volume", "Traded, in the quote asset.", *_BY_SIDE, "asset")
        self.fees = registry.counter("tradebot_fees", "Fees paid to venues, in their asset.", *_BY_SYMBOL, "asset")
        self.acknowledged_latency = registry.histogram(
            "tradebot_order_acknowledge_seconds", "From submitting an order to the venue's word on it.", "bot", "venue"
        )
        self.latency = registry.histogram(
            "tradebot_order_latency_seconds", "From submitting an order to its final fill.", "bot", "strategy", "venue"
        )
        self.decision_latency = registry.histogram(
            "tradebot_order_decision_seconds", "From a decision to submitting its order.", "bot", "strategy", "venue"
        )
        registry.on(OrderSubmitted, self._submitted)
        registry.on(OrderAcknowledged, self._acknowledged)
        registry.on(OrderFilled, self._filled)
        registry.on(OrderRejected, self._rejected)
        registry.on(OrderCanceled, self._canceled)
        registry.on(OrderExpired, self._expired)

    def _submitted(self, record: Record, event: OrderSubmitted) -> None:
        side = self._labels(record, event, event.side)
        self.submitted.inc(side)
        self.filled.inc(side, 0)
        self.decision_latency.observe(
            (record.bot, label(event.strategy), label(event.venue)), event.decision_seconds, event.trace
        )
        open_orders = self.memory.setdefault(record.bot, {})
        open_orders[event.order_id] = [record.ts, label(event.strategy)]
        if len(open_orders) > MAX_OPEN:
            del open_orders[next(iter(open_orders))]

    def _acknowledged(self, record: Record, event: OrderAcknowledged) -> None:
        submitted = self.memory.get(record.bot, {}).get(event.order_id)
        if submitted is not None:
            self.acknowledged_latency.observe(
                (record.bot, label(event.venue)), seconds_between(submitted[0], record.ts), event.trace
            )

    def _filled(self, record: Record, event: OrderFilled) -> None:
        side = self._labels(record, event, event.side)
        self.fills.inc(side)
        if event.price is not None and event.quantity is not None:
            self.volume.inc((*side, label(event.asset)), event.price * event.quantity)
        if event.fee is not None:
            self.fees.inc((*side[:4], label(event.fee_asset or event.asset)), event.fee)
        if event.final:
            self.filled.inc(side)
            submitted = self._close(record, event.order_id)
            if submitted is not None:
                self.latency.observe((record.bot, side[1], side[2]), seconds_between(submitted, record.ts), event.trace)

    def _rejected(self, record: Record, event: OrderRejected) -> None:
        self.failed.inc((*self._labels(record, event), label(event.reason)))
        self._close(record, event.order_id)

    def _canceled(self, record: Record, event: OrderCanceled) -> None:
        self.canceled.inc(self._labels(record, event))
        self._close(record, event.order_id)

    def _expired(self, record: Record, event: OrderExpired) -> None:
        self.expired.inc(self._labels(record, event))
        self._close(record, event.order_id)

    def _close(self, record: Record, order_id: str) -> int | None:
        submitted = self.memory.get(record.bot, {}).pop(order_id, None)
        return None if submitted is None else int(submitted[0])

    def _labels(self, record: Record, event: _Order, *more: str) -> tuple[str, ...]:
        """Labels of an order's event. A strategy that it does not name is that of the order's submission."""
        strategy = label(event.strategy)
        if not strategy:
            strategy = self.memory.get(record.bot, {}).get(event.order_id, (0, ""))[1]
        return (record.bot, strategy, label(event.venue), label(event.symbol), *(label(one) for one in more))
