"""Two sets of books: freqtrade's own database, and the journal that deskwatch wrote of it. Where do they differ?

freqtrade's rules, as its source has them (`persistence/trade_model.py`, 2026.9): an order's price is `average`, else
`price`; a fee is the rate of the trade's side (`fee_open`, `fee_close`) times what was filled times that price (its
columns `fee_open_cost` and `fee_close_cost` hold the fee of one order each, or an estimate); the profit of a closed
trade is `close_profit_abs`, of all its exits, net of fees and with funding. A trade whose entry was canceled before
anything was filled is deleted, and the next one may get its id.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from deskwatch.events import (
    FundingPaid,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
)
from tests import running
from tests.freqtrade.process import Freqtrade

CANCELED = ("canceled", "cancelled", "expired", "rejected")
CLOSE_ENOUGH = 1e-9
"""A part of the figure: sums of floats are not exact. freqtrade rounds some to eight places."""


class Books:
    """A journal, by what it tells of."""

    def __init__(self, home: Path, bot: str) -> None:
        self.opened = running.events(home, PositionOpened, bot)
        self.closed = running.events(home, PositionClosed, bot)
        self.submitted = running.events(home, OrderSubmitted, bot)
        self.fills = running.events(home, OrderFilled, bot)
        self.ended = [*running.events(home, OrderCanceled, bot), *running.events(home, OrderExpired, bot)]
        self.funding = running.events(home, FundingPaid, bot)


class Database(NamedTuple):
    """Rows of freqtrade's own tables."""

    trades: list[dict[str, Any]]
    orders: list[dict[str, Any]]


def read(bot: Freqtrade) -> Database:
    """What freqtrade's database has now."""
    return Database(bot.trades(), bot.orders())


def differences(database: Database, books: Books) -> list[str]:
    """In words, each place where the journal says something else than the database; none where they agree."""
    trades, orders = database
    filled = [trade for trade in trades if any(_filled(one) for one in orders if one["ft_trade_id"] == trade["id"])]
    return [*_of_trades(filled, books), *_of_orders(trades, orders, books), *_of_funding(filled, books)]


def _of_trades(trades: list[dict[str, Any]], books: Books) -> Iterable[str]:
    opened, closed = _by(books.opened, "position_id"), _by(books.closed, "position_id")
    wanted = {str(trade["id"]): trade for trade in trades}
    yield from (f"trade {one} is opened, yet not in the database" for one in opened.keys() - wanted.keys())
    for number, trade in wanted.items():
        if len(opened[number]) != 1:
            yield f"trade {number} ({trade['pair']}) is opened {len(opened[number])} times"
        for event in opened[number]:
            side = "short" if trade["is_short"] else "long"
            yield from _differ(f"trade {number}'s symbol", event.symbol, trade["pair"])
            yield from _differ(f"trade {number}'s side", event.side, side)
        if len(closed[number]) != (0 if trade["is_open"] else 1):
            yield f"trade {number} is closed {len(closed[number])} times, and open in the database: {trade['is_open']}"
        for event in closed[number]:
            yield from _differ(f"trade {number}'s profit", event.realized_pnl, trade["close_profit_abs"])
            yield from _differ(f"trade {number}'s reason", event.reason, trade["exit_reason"])


def _of_orders(trades: list[dict[str, Any]], orders: list[dict[str, Any]], books: Books) -> Iterable[str]:
    submitted, fills, ended = (_by(one, "order_id") for one in (books.submitted, books.fills, books.ended))
    known = {order["order_id"]: order for order in orders}
    of_trade = {trade["id"]: trade for trade in trades}
    yield from (f"order {one} is filled, yet not in the database" for one in fills.keys() - known.keys())
    for number, order in known.items():
        trade = of_trade[order["ft_trade_id"]]
        mine, amount = fills[number], _filled(order)
        is_seen = amount or order["ft_is_open"]  # freqtrade's API leaves out others: they may have come and gone unseen
        if len(submitted[number]) > 1 or (is_seen and not submitted[number]):
            yield f"order {number} of trade {trade['id']} is submitted {len(submitted[number])} times"
        if len(ended[number]) != (order["status"] in CANCELED and len(submitted[number])):
            yield f"order {number} is ended {len(ended[number])} times, and {order['status']} in the database"
        yield from _differ(f"order {number}'s amount", math.fsum(one.quantity for one in mine), amount)
        if not amount or not mine:
            continue
        price = order["average"] or order["price"] or order["ft_price"]
        rate = trade["fee_open"] if order["ft_order_side"] == _entry_side(trade) else trade["fee_close"]
        paid = math.fsum(one.fee or 0.0 for one in mine)
        cost = math.fsum(one.quantity * one.price for one in mine)
        yield from _differ(f"order {number}'s price", cost / math.fsum(one.quantity for one in mine), price)
        yield from _differ(f"order {number}'s fee", paid, amount * price * rate)
        yield from _differ(f"order {number}'s final fills", sum(one.final for one in mine), 1)
        yield from _differ(f"order {number}'s side", {one.side for one in mine}, {order["side"]})


def _of_funding(trades: list[dict[str, Any]], books: Books) -> Iterable[str]:
    paid = _by(books.funding, "position_id")
    for trade in trades:
        told = math.fsum(one.amount for one in paid[str(trade["id"])])
        yield from _differ(f"trade {trade['id']}'s funding", told, trade["funding_fees"] or 0.0)


def repeated(books: Books) -> list[str]:
    """What is told twice, whatever the database says."""
    told = Counter(one.fill_id for one in books.fills)
    return [str(one) for one, often in told.items() if often > 1]


def _entry_side(trade: dict[str, Any]) -> str:
    return "sell" if trade["is_short"] else "buy"


def _filled(order: dict[str, Any]) -> float:
    """What was filled; freqtrade leaves it unsaid of an order that is closed at once in some versions."""
    known = order["filled"]
    return float((order["amount"] if order["status"] == "closed" else 0.0) if known is None else known)


def _by(events: Iterable[Any], field: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        found[getattr(event, field)].append(event)
    return found


def _differ(what: str, told: Any, wanted: Any) -> Iterable[str]:
    is_number = isinstance(told, float | int) and isinstance(wanted, float | int)
    same = math.isclose(told, wanted, rel_tol=CLOSE_ENOUGH, abs_tol=2e-8) if is_number else told == wanted
    if not same:
        yield f"{what}: expected {wanted}, was {told}"
