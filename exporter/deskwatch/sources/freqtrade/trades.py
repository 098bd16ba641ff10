"""A trade as freqtrade has it, compared with what was told of it: the events that are missing.

- A position is open from the first fill of an entry. A trade without one is orders alone; freqtrade removes it when
  they are canceled, and may give its id to the next (SQLite takes the highest id again).
- freqtrade shows orders that are open, or filled at least in part. One that was open and is shown no more was canceled.
- The profit of a closed position is the trade's own `close_profit_abs`: net of fees and funding, of all its exits.
  While it is open, what partial exits made is in `unrealized_pnl` (`total_profit_abs`), so that realized and
  unrealized together are always the `profit_all_coin` of `/profit`.
- Fees are those that freqtrade reckons with: a part (`fee_open`, `fee_close`) of each fill's worth, in the quote asset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deskwatch.events import (
    Event,
    FundingPaid,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
)
from deskwatch.sources.freqtrade.memory import DELETED, SMALL, FreqtradeMemory, KnownOrder, KnownTrade
from deskwatch.sources.freqtrade.reading import Order, Trade
from deskwatch.sources.lateness import late

UNFILLED = "unfilled"
"""Why an order was canceled, where freqtrade has not said it: nothing of it was filled."""
LEFT = "trade_closed"
"""Why an order counts as canceled that freqtrade shows as open in a trade that is closed: it looks at it no more."""
SETTLE_SECONDS = 3.0
"""How long freqtrade may take to look into a fill's fee."""
Reasons = dict[str, str]
"""Trade's id → why its last order was canceled, as the stream told."""


def differences(trade: Trade, memory: FreqtradeMemory, now: float, reasons: Reasons | None = None) -> Iterator[Event]:
    """What is not told of a trade. Each event has to be folded into `memory` before the next is asked for.

    Args:
        trade: As freqtrade has it now.
        memory: What was told.
        now: Unix time.
        reasons: Why orders were canceled.
    """
    if (not trade.is_open and memory.is_closed(trade.id)) or _is_settling(trade, now):
        return
    if is_another(trade, memory.trades.get(trade.id)):
        yield from gone(trade.id, memory)
    yield from _vanished(trade, memory, reasons or {})
    for order in trade.orders:
        yield from _order(trade, order, memory, now)
    known = memory.trades.get(trade.id)
    if not trade.is_open:
        if known is None or not known.is_position:  # its orders are not told: an old version, or an old trade
            yield _opened(trade, trade.amount, trade.rate, late(trade.opened, now))
        known = memory.trades.get(trade.id)
    if known is None or not known.is_position:
        return
    yield from _funding(trade, known, now)
    if trade.is_open:
        yield from _changed(trade, known)
    else:
        for key, left in list(known.orders.items()):
            if left.is_open:
                yield _canceled(trade.id, key, left, known, LEFT)
        yield _closed(trade, known, now)


def _is_settling(trade: Trade, now: float) -> bool:
    """Whether its first fill is shown, and not yet what it cost: told a moment later, it is told right.

    An exchange that never tells a fee makes no difference for longer than `SETTLE_SECONDS`.
    """
    if trade.has_fee or not trade.is_open:
        return False
    return any(one.done is not None and abs(now - one.done) < SETTLE_SECONDS for one in trade.orders)


def is_another(trade: Trade, known: KnownTrade | None) -> bool:
    """Whether the trade that is known by this id is another: a filled order is shown as long as its trade lives."""
    if known is None or not known.is_position:
        return False
    there = {order.id for order in trade.orders}
    return known.symbol != trade.symbol or (
        bool(there) and any(order.filled and key not in there for key, order in known.orders.items())
    )


def gone(trade_id: str, memory: FreqtradeMemory, reasons: Reasons | None = None) -> Iterator[Event]:
    """Of a trade that freqtrade has no more: its orders are canceled, its position is closed with an unknown profit."""
    known = memory.trades.get(trade_id)
    if known is None:
        return
    for key, order in list(known.orders.items()):
        if order.is_open:
            reason = DELETED if known.is_position else (reasons or {}).get(trade_id, UNFILLED)
            yield _canceled(trade_id, key, order, known, reason)
    if known.is_position:
        yield PositionClosed(
            position_id=trade_id,
            venue=known.venue,
            symbol=known.symbol,
            realized_pnl=None,
            asset=known.asset or "",
            strategy=known.strategy,
            reason=DELETED,
        )


def _vanished(trade: Trade, memory: FreqtradeMemory, reasons: Reasons) -> Iterator[Event]:
    known = memory.trades.get(trade.id)
    if known is None:
        return
    there = {order.id for order in trade.orders}
    for key, order in list(known.orders.items()):
        if order.is_open and key not in there:
            yield _canceled(trade.id, key, order, known, reasons.get(trade.id, UNFILLED))


def _canceled(trade_id: str, key: str, order: KnownOrder, known: KnownTrade, reason: str) -> OrderCanceled:
    return OrderCanceled(
        order_id=key,
        venue=known.venue,
        symbol=order.symbol,
        reason=reason,
        strategy=known.strategy,
        cause=trade_id,
    )


def _order(trade: Trade, order: Order, memory: FreqtradeMemory, now: float) -> Iterator[Event]:
    known = _known(trade, order, memory)
    if known is None:
        yield OrderSubmitted(
            order_id=order.id,
            venue=trade.venue,
            symbol=trade.symbol,
            side=order.side,
            quantity=order.amount,
            strategy=trade.strategy,
            order_type=order.kind,
            price=_wanted(trade, order),
            asset=trade.asset,
            cause=trade.id,
            happened_timestamp_seconds=late(order.placed, now),
        )
        known = _known(trade, order, memory)
    if known is None or not known.is_open:
        return
    more = order.filled - known.filled
    is_done = not order.is_open
    is_final = is_done and order.status not in _ENDS
    if more > SMALL * order.filled or is_final:
        fill = _fill(trade, order, known, max(more, 0.0), is_final=is_final, now=now)
        yield fill
        if fill.quantity:
            yield from _position(trade, order, fill, memory)
    if is_done and not is_final:
        yield _end(trade, order)


def _known(trade: Trade, order: Order, memory: FreqtradeMemory) -> KnownOrder | None:
    known = memory.trades.get(trade.id)
    return None if known is None else known.orders.get(order.id)


def _wanted(trade: Trade, order: Order) -> float | None:
    """The price that was asked for: `/status` tells that of an order which nothing was filled of, `/trades` of all."""
    if order.limit is not None:
        return order.limit
    if not order.filled:
        return order.price
    return trade.wanted if order.is_entry and order.id == trade.orders[0].id else None


def _fill(trade: Trade, order: Order, known: KnownOrder, quantity: float, *, is_final: bool, now: float) -> OrderFilled:
    price = order.price
    if price is not None and known.filled and quantity:
        rest = (order.filled * price - known.worth) / quantity  # freqtrade tells the average of the whole order
        price = rest if rest > 0 else price
    rate = trade.fee_open if order.is_entry else trade.fee_close
    wanted = known.price
    slippage = None
    if wanted and price:
        slippage = (price / wanted - 1) * (1 if order.side == "buy" else -1)
    return OrderFilled(
        order_id=order.id,
        venue=trade.venue,
        symbol=trade.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        final=is_final,
        strategy=trade.strategy,
        asset=trade.asset,
        fee=None if rate is None or price is None else quantity * price * rate,
        fee_asset=trade.asset,
        slippage_ratio=slippage,
        fill_id=f"{order.id}:{order.filled:.12g}",
        cause=trade.id,
        happened_timestamp_seconds=late(order.done, now),
    )


def _position(trade: Trade, order: Order, fill: OrderFilled, memory: FreqtradeMemory) -> Iterator[Event]:
    """What a fill makes of the position."""
    known = memory.trades[trade.id]
    moment = fill.happened_timestamp_seconds
    filled = max((fill.quantity or 0.0) - order.fee_base, 0.0)
    if order.is_entry and not known.is_position:
        yield _opened(trade, filled, fill.price, moment)
        return
    if not known.is_position or known.quantity is None:
        return
    if not trade.is_open and not order.is_entry and filled >= known.quantity * (1 - SMALL):
        return  # the last exit: its PositionClosed follows
    quantity = max(known.quantity + (filled if order.is_entry else -filled), 0.0)
    entry = known.entry
    if order.is_entry and quantity and entry is not None and fill.price is not None:
        entry = (entry * known.quantity + fill.price * filled) / quantity
    yield PositionUpdated(
        position_id=trade.id,
        quantity=quantity,
        entry_price=entry if entry != known.entry else None,
        happened_timestamp_seconds=moment,
        cause=order.id,
    )


def _opened(trade: Trade, quantity: float | None, price: float | None, moment: float | None) -> PositionOpened:
    return PositionOpened(
        position_id=trade.id,
        venue=trade.venue,
        symbol=trade.symbol,
        side=trade.side,
        quantity=quantity,
        entry_price=price,
        asset=trade.asset,
        strategy=trade.strategy,
        leverage=trade.leverage if trade.is_futures else None,
        margin=trade.stake if trade.is_futures else None,
        liquidation_price=trade.liquidation if trade.is_futures else None,
        happened_timestamp_seconds=moment,
    )


def _funding(trade: Trade, known: KnownTrade, now: float) -> Iterator[Event]:
    if trade.funding is None:
        return
    more = trade.funding - known.funding
    if abs(more) > SMALL * max(abs(trade.funding), 1.0):
        yield FundingPaid(
            venue=trade.venue,
            symbol=trade.symbol,
            amount=more,
            asset=trade.asset,
            position_id=trade.id,
            happened_timestamp_seconds=None if trade.is_open else late(trade.closed, now),
        )


def _changed(trade: Trade, known: KnownTrade) -> Iterator[Event]:
    """The open position's figures, where they are others than was told.

    An entry that is filled in part is not in freqtrade's `amount` until it is done.
    """
    is_futures = trade.is_futures
    changed: dict[str, Any] = {  # Any: mypy reads a dict of fields as one type for all
        name: value
        for name, value, before in (
            ("quantity", trade.amount, known.quantity),
            ("entry_price", trade.rate if trade.amount else None, known.entry),
            ("mark_price", trade.mark, known.mark),
            ("unrealized_pnl", trade.profit, known.unrealized),
            ("liquidation_price", trade.liquidation if is_futures else None, known.liquidation),
            ("leverage", trade.leverage if is_futures else None, known.leverage),
            ("margin", trade.stake if is_futures else None, known.margin),
        )
        if value is not None and value != before
    }
    if changed:
        yield PositionUpdated(position_id=trade.id, **changed)


def _closed(trade: Trade, known: KnownTrade, now: float) -> PositionClosed:
    return PositionClosed(
        position_id=trade.id,
        venue=trade.venue,
        symbol=trade.symbol,
        realized_pnl=trade.profit,
        asset=trade.asset,
        strategy=trade.strategy,
        costs=known.fees - known.funding,
        exit_price=trade.exit_rate,
        holding_seconds=None if trade.closed is None or trade.opened is None else max(trade.closed - trade.opened, 0.0),
        reason=trade.reason,
        happened_timestamp_seconds=late(trade.closed, now),
    )


_ENDS = frozenset({"canceled", "cancelled", "expired", "rejected"})


def _end(trade: Trade, order: Order) -> OrderCanceled | OrderExpired | OrderRejected:
    """Of an order that was filled in part only."""
    place: dict[str, Any] = {  # Any: as above
        "order_id": order.id,
        "venue": trade.venue,
        "symbol": trade.symbol,
        "strategy": trade.strategy,
        "cause": trade.id,
    }
    match order.status:
        case "expired":
            return OrderExpired(**place)
        case "rejected":
            return OrderRejected(**place, reason="rejected")
        case _:
            return OrderCanceled(**place, reason="partly_filled")
