"""What each bot holds by its own journal: the state that tells whether a command was carried out.

What was never journaled as opened or submitted is not known here, and so can't be seen to go: `tells_positions` and
`tells_orders` say whether a bot journals such things at all.
"""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.journal import Record
from deskwatch.journal.names import MAIN
from deskwatch.projections.metrics.memory import identifier, keep

MAX_ORDERS = 10_000
"""Open orders of one bot that are remembered; the oldest counts as done beyond."""
MAX_POSITIONS = 1000
"""The same of positions."""


class Lot(msgspec.Struct, kw_only=True):
    """An open position."""

    symbol: str
    quantity: float | None


class Holding(msgspec.Struct, kw_only=True):
    """One bot's."""

    positions: dict[str, Lot] = {}
    """By id."""
    orders: dict[str, str] = {}
    """Open orders: id → symbol."""
    modes: dict[str, str] = {}
    """By writer: what it acts by."""
    watchlist: list[str] | None = None
    running: bool = False
    """As its newest start or stop tells; a killed bot has said nothing."""
    speaker: str | None = None
    """The writer that speaks for the bot's process: `main`, once it was started."""
    tells_positions: bool = False
    tells_orders: bool = False

    def matching(self, position_id: Any, symbol: Any) -> list[str]:
        """Ids of open positions: the one of this id, else all of this symbol, else all."""
        if position_id is not None:
            named = identifier(str(position_id))
            return [named] if named in self.positions else []
        wanted = None if symbol is None else identifier(str(symbol))
        return [key for key, lot in self.positions.items() if wanted is None or lot.symbol == wanted]

    def open_orders(self, symbol: Any) -> list[str]:
        """Ids of open orders, of a symbol or of all."""
        wanted = None if symbol is None else identifier(str(symbol))
        return [key for key, of in self.orders.items() if wanted is None or of == wanted]


class Holdings:
    """Every bot's holding."""

    def __init__(self) -> None:
        self.of: dict[str, Holding] = {}

    def apply(self, record: Record) -> None:
        """Fold one record in."""
        fold = _FOLDS.get(type(record.event))
        if fold is not None:
            holding = self.of.get(record.bot)
            if holding is None:
                holding = self.of[record.bot] = Holding()
            fold(holding, record, record.event)

    def dump(self) -> Any:
        """The state as JSON-able values, for the checkpoint."""
        return msgspec.to_builtins(self.of)

    def load(self, state: Any) -> None:
        """Take the state back from a checkpoint."""
        self.of = msgspec.convert(state, dict[str, Holding])


def _started(holding: Holding, record: Record, event: ev.BotStarted) -> None:
    if record.writer == MAIN or holding.speaker != MAIN:
        holding.running, holding.speaker = True, record.writer
    holding.modes[record.writer] = event.mode


def _stopped(holding: Holding, record: Record, event: ev.BotStopped) -> None:
    if holding.speaker in (None, record.writer):
        holding.running = False


def _mode(holding: Holding, record: Record, event: ev.ModeChanged | ev.HeartbeatSent) -> None:
    if event.mode is not None:
        holding.modes[record.writer] = event.mode


def _submitted(holding: Holding, record: Record, event: ev.OrderSubmitted) -> None:
    holding.tells_orders = True
    keep(holding.orders, identifier(event.order_id), identifier(event.symbol), MAX_ORDERS)


def _filled(holding: Holding, record: Record, event: ev.OrderFilled) -> None:
    if event.final:
        holding.orders.pop(identifier(event.order_id), None)


def _ended(holding: Holding, record: Record, event: ev.OrderRejected | ev.OrderCanceled | ev.OrderExpired) -> None:
    holding.orders.pop(identifier(event.order_id), None)


def _opened(holding: Holding, record: Record, event: ev.PositionOpened) -> None:
    holding.tells_positions = True
    keep(
        holding.positions,
        identifier(event.position_id),
        Lot(symbol=identifier(event.symbol), quantity=event.quantity),
        MAX_POSITIONS,
    )


def _updated(holding: Holding, record: Record, event: ev.PositionUpdated) -> None:
    lot = holding.positions.get(identifier(event.position_id))
    if lot is not None and event.quantity is not None:
        lot.quantity = event.quantity


def _closed(holding: Holding, record: Record, event: ev.PositionClosed) -> None:
    holding.positions.pop(identifier(event.position_id), None)


def _watches(holding: Holding, record: Record, event: ev.WatchlistChanged) -> None:
    holding.watchlist = event.symbols


_FOLDS: dict[type, Any] = {  # Any: each takes the event of its key
    ev.BotStarted: _started,
    ev.BotStopped: _stopped,
    ev.ModeChanged: _mode,
    ev.HeartbeatSent: _mode,
    ev.OrderSubmitted: _submitted,
    ev.OrderFilled: _filled,
    ev.OrderRejected: _ended,
    ev.OrderCanceled: _ended,
    ev.OrderExpired: _ended,
    ev.PositionOpened: _opened,
    ev.PositionUpdated: _updated,
    ev.PositionClosed: _closed,
    ev.WatchlistChanged: _watches,
}
