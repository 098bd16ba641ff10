"""What of a freqtrade was told already: folded from the journal, compared with what freqtrade reports."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event
from deskwatch.sources.memory import Memory

OURS = "deskwatch.sources.freqtrade"
"""Name of our own log records, beside freqtrade's."""
DELETED = "deleted"
"""Why a position was closed that freqtrade has no trade of any more."""
GONE = "deleted_trades"
"""In the `extra` of a record of ours: ids of closed trades that freqtrade's database no longer has."""
SMALL = 1e-9
"""A part of an amount: what differs by less is float's doing."""


class KnownOrder(msgspec.Struct, kw_only=True):
    """An order of a trade that is not closed."""

    symbol: str
    side: str
    quantity: float | None = None
    price: float | None = None
    """The price that was wanted."""
    filled: float = 0.0
    worth: float = 0.0
    """Of what is filled, in the quote asset."""
    is_open: bool = True


class KnownTrade(msgspec.Struct, kw_only=True):
    """A trade that is not closed."""

    symbol: str
    venue: str
    strategy: str | None = None
    asset: str | None = None
    orders: dict[str, KnownOrder] = {}
    is_position: bool = False
    """Whether it was told as opened: with the first fill of an entry."""
    quantity: float | None = None
    entry: float | None = None
    mark: float | None = None
    unrealized: float | None = None
    liquidation: float | None = None
    leverage: float | None = None
    margin: float | None = None
    fees: float = 0.0
    funding: float = 0.0


class FreqtradeMemory(Memory, kw_only=True):
    """What was told. Ids of closed trades are ranges, as nearly all of them follow one another."""

    database: str = ""
    """What tells freqtrade's database from others: when it was made. Its trades' ids begin at 1."""
    trades: dict[str, KnownTrade] = msgspec.field(default_factory=dict)
    """Trades that are not closed, by id."""
    closed: list[list[int]] = msgspec.field(default_factory=list)
    """First and last id of each range, ascending."""
    closed_count: int = 0
    profit: float = 0.0
    """Of the closed trades."""
    log_seconds: float = 0.0
    """When the newest log record that was told was made."""
    log_digests: list[str] = msgspec.field(default_factory=list)
    """Of the records of that moment."""
    locks: list[str] = msgspec.field(default_factory=list)
    """What is locked: a pair, or `*`."""
    watchlist: list[str] | None = None
    balances: dict[str, list[float | None]] = msgspec.field(default_factory=dict)
    """Asset → total and free."""
    balances_venue: str = ""
    """Where those lie."""
    equity: dict[str, list[float]] = msgspec.field(default_factory=dict)
    """Asset → the newest, and the peak, moved by transfers."""
    is_other_account: bool = False
    """Whether no equity was told since the database became another."""

    def fold(self, event: Event) -> None:
        """Take in an event that is in the journal now."""
        fold = _FOLDS.get(type(event))
        if fold is not None:
            fold(self, event)

    def is_closed(self, trade_id: str) -> bool:
        """Whether this trade was told as closed."""
        number = int(trade_id)
        at = bisect_right(self.closed, number, key=lambda each: each[0]) - 1
        return at >= 0 and number <= self.closed[at][1]

    def close(self, trade_id: str) -> None:
        """The trade was told as closed."""
        number = int(trade_id)
        if self.is_closed(trade_id):
            return
        self.closed_count += 1
        at = bisect_right(self.closed, number, key=lambda each: each[0])
        before = self.closed[at - 1] if at and self.closed[at - 1][1] == number - 1 else None
        after = self.closed[at] if at < len(self.closed) and self.closed[at][0] == number + 1 else None
        if before is not None and after is not None:
            before[1] = after[1]
            del self.closed[at]
        elif before is not None:
            before[1] = number
        elif after is not None:
            after[0] = number
        else:
            self.closed.insert(at, [number, number])

    def forget(self, trade_id: str) -> None:
        """The trade that was told as closed is in freqtrade's database no longer."""
        number = int(trade_id)
        if not self.is_closed(trade_id):
            return
        self.closed_count -= 1
        at = bisect_right(self.closed, number, key=lambda each: each[0]) - 1
        first, last = self.closed.pop(at)
        rest = [[first, number - 1], [number + 1, last]]
        self.closed[at:at] = [each for each in rest if each[0] <= each[1]]


def digest(name: str, message: str) -> str:
    """A short word for a log record: it tells those of one moment apart."""
    return hashlib.blake2b(f"{name}\0{message}".encode(errors="replace"), digest_size=6).hexdigest()


def database_of(boot: str) -> str:
    """The part of a boot's name that names the database: `1700000000.1700000123456` → `1700000000`."""
    return boot.partition(".")[0]


def _started(memory: FreqtradeMemory, event: ev.BotStarted) -> None:
    database = database_of(event.boot or "")
    if database != memory.database:
        memory.closed, memory.closed_count, memory.profit = [], 0, 0.0
        memory.is_other_account = bool(memory.equity)
    memory.database = database


def _submitted(memory: FreqtradeMemory, event: ev.OrderSubmitted) -> None:
    trade = _trade(memory, event.cause, event.symbol, event.venue)
    if trade is not None:
        trade.orders[event.order_id] = KnownOrder(
            symbol=event.symbol, side=event.side, quantity=event.quantity, price=event.price
        )


def _filled(memory: FreqtradeMemory, event: ev.OrderFilled) -> None:
    trade = _trade(memory, event.cause, event.symbol, event.venue)
    if trade is None:
        return
    order = trade.orders.setdefault(event.order_id, KnownOrder(symbol=event.symbol, side=event.side))
    order.filled += event.quantity or 0.0
    order.worth += (event.quantity or 0.0) * (event.price or 0.0)
    order.is_open = not event.final
    trade.fees += event.fee or 0.0


def _ended(memory: FreqtradeMemory, event: ev.OrderCanceled | ev.OrderExpired | ev.OrderRejected) -> None:
    trade = memory.trades.get(event.cause or "")
    order = None if trade is None else trade.orders.get(event.order_id)
    if trade is None or order is None:
        return
    order.is_open = False
    if not order.filled:
        del trade.orders[event.order_id]  # freqtrade does not show it any more either
    if not trade.orders and not trade.is_position:
        del memory.trades[event.cause or ""]  # freqtrade removed it, and may give its id to the next


def _opened(memory: FreqtradeMemory, event: ev.PositionOpened) -> None:
    trade = _trade(memory, event.position_id, event.symbol, event.venue)
    if trade is None:
        return
    trade.is_position, trade.asset, trade.strategy = True, event.asset, event.strategy
    trade.symbol, trade.venue = event.symbol, event.venue
    trade.quantity, trade.entry = event.quantity, event.entry_price
    trade.liquidation, trade.leverage, trade.margin = event.liquidation_price, event.leverage, event.margin


def _updated(memory: FreqtradeMemory, event: ev.PositionUpdated) -> None:
    trade = memory.trades.get(event.position_id)
    if trade is None:
        return
    for name, value in (
        ("quantity", event.quantity),
        ("entry", event.entry_price),
        ("mark", event.mark_price),
        ("unrealized", event.unrealized_pnl),
        ("liquidation", event.liquidation_price),
        ("leverage", event.leverage),
        ("margin", event.margin),
    ):
        if value is not None:
            setattr(trade, name, value)


def _funded(memory: FreqtradeMemory, event: ev.FundingPaid) -> None:
    trade = memory.trades.get(event.position_id or "")
    if trade is not None:
        trade.funding += event.amount or 0.0


def _closed(memory: FreqtradeMemory, event: ev.PositionClosed) -> None:
    memory.trades.pop(event.position_id, None)
    if event.reason != DELETED and event.position_id.isascii() and event.position_id.isdigit():
        memory.close(event.position_id)
        memory.profit += event.realized_pnl or 0.0


def _logged(memory: FreqtradeMemory, event: ev.LogRecorded | ev.ErrorOccurred) -> None:
    extra = event.extra or {}
    name = event.name if isinstance(event, ev.LogRecorded) else event.component
    if name == OURS:
        gone = extra.get(GONE)
        for each in gone if isinstance(gone, list) else []:
            memory.forget(str(each))
        return
    moment = event.happened_timestamp_seconds
    if moment is None or moment < memory.log_seconds:
        return
    if moment > memory.log_seconds:
        memory.log_seconds, memory.log_digests = moment, []
    memory.log_digests.append(digest(name, event.message))


def _locked(memory: FreqtradeMemory, event: ev.RiskAlertRaised) -> None:
    pair = event.symbol or "*"
    if pair not in memory.locks:
        memory.locks.append(pair)


def _unlocked(memory: FreqtradeMemory, event: ev.RiskAlertCleared) -> None:
    pair = event.symbol or "*"
    if pair in memory.locks:
        memory.locks.remove(pair)


def _watchlist(memory: FreqtradeMemory, event: ev.WatchlistChanged) -> None:
    memory.watchlist = list(event.symbols)


def _balance(memory: FreqtradeMemory, event: ev.BalanceObserved) -> None:
    memory.balances[event.asset] = [event.total, event.free]
    memory.balances_venue = event.venue
    if not event.total:
        del memory.balances[event.asset]


def _equity(memory: FreqtradeMemory, event: ev.EquityObserved) -> None:
    if event.equity is not None:
        _, peak = memory.equity.get(event.asset, (0.0, event.equity))
        memory.equity[event.asset] = [event.equity, max(peak, event.equity)]
        memory.is_other_account = False


def _transferred(memory: FreqtradeMemory, event: ev.TransferRecorded) -> None:
    if event.asset in memory.equity:
        memory.equity[event.asset][1] += event.amount or 0.0
    memory.is_other_account = False


def _trade(memory: FreqtradeMemory, trade_id: str | None, symbol: str, venue: str) -> KnownTrade | None:
    if trade_id is None:
        return None
    return memory.trades.setdefault(trade_id, KnownTrade(symbol=symbol, venue=venue))


_FOLDS: dict[type[Event], Callable[[FreqtradeMemory, Any], None]] = {  # Any: each its own event
    ev.BotStarted: _started,
    ev.OrderSubmitted: _submitted,
    ev.OrderFilled: _filled,
    ev.OrderCanceled: _ended,
    ev.OrderExpired: _ended,
    ev.OrderRejected: _ended,
    ev.PositionOpened: _opened,
    ev.PositionUpdated: _updated,
    ev.PositionClosed: _closed,
    ev.FundingPaid: _funded,
    ev.LogRecorded: _logged,
    ev.ErrorOccurred: _logged,
    ev.RiskAlertRaised: _locked,
    ev.RiskAlertCleared: _unlocked,
    ev.WatchlistChanged: _watchlist,
    ev.BalanceObserved: _balance,
    ev.EquityObserved: _equity,
    ev.TransferRecorded: _transferred,
}
