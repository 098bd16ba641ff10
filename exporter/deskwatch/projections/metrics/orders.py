"""Orders: how many, how fast, what failed."""

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
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.fills import BY_SIDE, BY_SYMBOL, Fills
from deskwatch.projections.metrics.memory import identifier, keep
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 10_000
"""Open orders of one bot that are remembered; the oldest is forgotten, and open no longer, beyond."""
_BY_VENUE = ("bot", "strategy", "venue")

_Order = OrderSubmitted | OrderFilled | OrderRejected | OrderCanceled | OrderExpired


class Orders:
    """The life of orders. `memory` holds each bot's open ones by id: time of submission and labels but for the bot.

    An order whose end is never journaled stays open. Outcomes start at 0 with the first order of their labels; not the
    failures, whose reasons nobody knows before.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.submitted = registry.counter("tradebot_orders_submitted", "Orders sent to a venue.", *BY_SIDE)
        self.filled = registry.counter("tradebot_orders_filled", "Orders filled completely.", *BY_SIDE)
        self.failed = registry.counter(
            "tradebot_orders_failed", "Orders that a venue or chain refused.", *BY_SYMBOL, "reason"
        )
        self.canceled = registry.counter("tradebot_orders_canceled", "Orders canceled before completion.", *BY_SYMBOL)
        self.expired = registry.counter("tradebot_orders_expired", "Orders that ran out of time.", *BY_SYMBOL)
        self.open = registry.gauge("tradebot_orders_open", "Orders submitted whose end was not told yet.", *BY_SIDE)
        self.fills = Fills(registry)
        self.acknowledged_latency = registry.histogram(
            "tradebot_order_acknowledge_seconds", "From submitting an order to the venue's word on it.", "bot", "venue"
        )
        self.latency = registry.histogram(
            "tradebot_order_latency_seconds", "From submitting an order to its final fill.", *_BY_VENUE
        )
        self.decision_latency = registry.histogram(
            "tradebot_order_decision_seconds", "From a decision to submitting its order.", *_BY_VENUE
        )
        registry.on(OrderSubmitted, self._submitted)
        registry.on(OrderAcknowledged, self._acknowledged)
        registry.on(OrderFilled, self._filled)
        registry.on(OrderRejected, self._rejected)
        registry.on(OrderCanceled, self._canceled)
        registry.on(OrderExpired, self._expired)

    def _submitted(self, record: Record, event: OrderSubmitted) -> None:
        side = self._labels(record, event, event.side)
        if side not in self.submitted.cells:
            self._begin(side)
        self.submitted.inc(side)
        if event.decision_seconds is not None:
            self.decision_latency.observe(side[:3], event.decision_seconds, event.trace)
        orders = self.memory.setdefault(record.bot, {})
        order_id = identifier(event.order_id)
        before = orders.get(order_id)  # submitted again, under the same id
        forgotten = keep(orders, order_id, [record.ts, *side[1:]], MAX_OPEN)
        self.open.set(side, self.open.get(side) + 1)
        for gone in (before, forgotten):
            if gone is not None:
                self._count_closed((record.bot, *gone[1:]))

    def _acknowledged(self, record: Record, event: OrderAcknowledged) -> None:
        submitted = self._find(record.bot, event.order_id)
        if submitted is not None:
            self.acknowledged_latency.observe(
                (record.bot, label(event.venue)), seconds_between(submitted[0], record.ts), event.trace
            )

    def _filled(self, record: Record, event: OrderFilled) -> None:
        side = self._labels(record, event, event.side)
        self.fills.add(event, side)
        if event.final:
            self.filled.inc(side)
            submitted = self._close(record.bot, event.order_id)
            if submitted is not None:
                self.latency.observe(side[:3], seconds_between(submitted, record.ts), event.trace)

    def _rejected(self, record: Record, event: OrderRejected) -> None:
        self.failed.inc((*self._labels(record, event), label(event.reason)))
        self._close(record.bot, event.order_id)

    def _canceled(self, record: Record, event: OrderCanceled) -> None:
        self.canceled.inc(self._labels(record, event))
        self._close(record.bot, event.order_id)

    def _expired(self, record: Record, event: OrderExpired) -> None:
        self.expired.inc(self._labels(record, event))
        self._close(record.bot, event.order_id)

    def _begin(self, side: Labels) -> None:
        """Show what is known of orders of these labels before the first of them has ended."""
        self.filled.inc(side, 0)
        self.fills.begin(side)
        self.canceled.inc(side[:4], 0)
        self.expired.inc(side[:4], 0)

    def _find(self, bot: str, order_id: str) -> list[Any] | None:
        orders = self.memory.get(bot)
        return None if orders is None else orders.get(identifier(order_id))

    def _close(self, bot: str, order_id: str) -> int | None:
        """The order is not open any more; returns when it was submitted, if that is known."""
        orders = self.memory.get(bot)
        submitted = None if orders is None else orders.pop(identifier(order_id), None)
        if submitted is None:
            return None
        self._count_closed((bot, *submitted[1:]))
        return int(submitted[0])

    def _count_closed(self, side: Labels) -> None:
        self.open.set(side, max(self.open.get(side) - 1, 0.0))

    def _labels(self, record: Record, event: _Order, *more: str) -> Labels:
        """Labels of an order's event. A strategy that it does not name is that of the order's submission."""
        strategy = label(event.strategy)
        if not strategy:
            submitted = self._find(record.bot, event.order_id)
            strategy = "" if submitted is None else submitted[1]
        return (record.bot, strategy, label(event.venue), label(event.symbol), *(label(one) for one in more))
