"""What was told of a Hummingbot so far."""

from __future__ import annotations

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event
from deskwatch.sources.memory import Memory

MOST_FILLS = 50_000
"""Fills that are remembered so that history tells none of them again; beyond, the oldest is forgotten."""
MOST_ORDERS = 10_000
"""Open orders that are remembered, as many as metrics hold."""


class Order(msgspec.Struct, kw_only=True):
    """An order that was told as submitted and not as ended."""

    venue: str
    symbol: str
    side: str
    quantity: float | None = None
    filled: float = 0.0


class Held(msgspec.Struct, kw_only=True):
    """A position that was told as opened and not as closed."""

    venue: str
    symbol: str
    side: str
    asset: str
    quantity: float | None = None
    entry_price: float | None = None
    unrealized_pnl: float | None = None


class Life(msgspec.Struct, kw_only=True):
    """Sums over a position's whole life, in its asset, over all the times that it was flat."""

    volume: float = 0.0
    profit: float = 0.0
    """Realized, less fees."""


class HummingbotMemory(Memory, kw_only=True):
    """By Hummingbot's own names for things."""

    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    """Open ones, by client order id."""
    fills: dict[str, bool] = msgspec.field(default_factory=dict)
    """`fill_key` of those that were told, oldest first."""
    positions: dict[str, Held] = msgspec.field(default_factory=dict)
    closed: dict[str, float] = msgspec.field(default_factory=dict)
    """Position → profit that was told at its closings."""
    lives: dict[str, Life] = msgspec.field(default_factory=dict)
    """Position → what Hummingbot said of its whole life last. Not of the journal."""
    markets: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Trading pair → connectors it was traded on. Not of the journal: history says it again."""
    contact: float = 0.0
    """Unix time up to which all fills are told. Not of the journal: it is only ever too early."""

    def fold(self, event: Event) -> None:
        """Take in an event that is in the journal now."""
        match event:
            case ev.OrderSubmitted():
                self.orders[event.order_id] = Order(
                    venue=event.venue, symbol=event.symbol, side=event.side, quantity=event.quantity
                )
                if len(self.orders) > MOST_ORDERS:
                    del self.orders[next(iter(self.orders))]
            case ev.OrderFilled():
                self._fill(event)
            case ev.OrderRejected() | ev.OrderCanceled() | ev.OrderExpired():
                self.orders.pop(event.order_id, None)
            case ev.PositionOpened():
                self.positions[event.position_id] = Held(
                    venue=event.venue,
                    symbol=event.symbol,
                    side=event.side,
                    asset=event.asset,
                    quantity=event.quantity,
                    entry_price=event.entry_price,
                )
            case ev.PositionUpdated():
                self._update(event)
            case ev.PositionClosed():
                self.positions.pop(event.position_id, None)
                self.closed[event.position_id] = self.closed.get(event.position_id, 0.0) + (event.realized_pnl or 0.0)

    def _fill(self, event: ev.OrderFilled) -> None:
        if event.fill_id is not None:
            self.fills[fill_key(event.symbol, event.side, event.fill_id)] = True
            if len(self.fills) > MOST_FILLS:
                del self.fills[next(iter(self.fills))]
        if event.final:
            self.orders.pop(event.order_id, None)
        elif (order := self.orders.get(event.order_id)) is not None:
            order.filled += event.quantity or 0.0

    def _update(self, event: ev.PositionUpdated) -> None:
        held = self.positions.get(event.position_id)
        if held is None:
            return
        if event.quantity is not None:
            held.quantity = event.quantity
        if event.entry_price is not None:
            held.entry_price = event.entry_price
        if event.unrealized_pnl is not None:
            held.unrealized_pnl = event.unrealized_pnl


def fill_key(symbol: str, side: str, fill_id: str) -> str:
    """What tells a fill from others. Its side too: in a trade with oneself both sides have the trade's id."""
    return f"{symbol} {side} {fill_id}"
