"""One fill, as an event or a row of history tells it.

An event (`/events`, type `OrderFilled`) has the order's id and no connector; a row of `/history` has the connector and
no order's id, and its price and quantity are cut to six decimals, as Hummingbot's database holds them
(`model/decimal_type_decorator.py`). Both have the exchange's id of the trade, by which they are known as one.
"""

from __future__ import annotations

import math

import msgspec

from deskwatch.events import OrderFilled
from deskwatch.sources.hummingbot.fee import Fee, fee_of
from deskwatch.sources.hummingbot.memory import fill_key
from deskwatch.sources.hummingbot.payload import (
    Fields,
    fields,
    identifier,
    moment,
    name,
    number,
    quote_of,
    word,
)

_SIDES = frozenset({"buy", "sell"})
_SCALE = 1_000_000
"""Six decimals."""


class Fill(msgspec.Struct, kw_only=True):
    """A fill."""

    fill_id: str
    symbol: str
    side: str
    price: float
    quantity: float
    fee: Fee
    at: float | None
    """Unix time; an event's is cut to a second."""
    venue: str | None = None
    order_id: str | None = None

    @property
    def key(self) -> str:
        """What tells it from others."""
        return fill_key(self.symbol, self.side, self.fill_id)

    def told(
        self, order_id: str, venue: str, *, final: bool, strategy: str | None, happened: float | None
    ) -> OrderFilled:
        """The event that tells it."""
        return OrderFilled(
            order_id=order_id,
            venue=venue,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            price=self.price,
            final=final,
            strategy=strategy,
            asset=quote_of(self.symbol),
            fee=self.fee.amount,
            fee_asset=self.fee.asset,
            fill_id=self.fill_id,
            happened_timestamp_seconds=happened,
        )


def of_event(data: Fields, at: float | None) -> Fill | None:
    """The fill of an `OrderFilled`; None where it lacks what a fill is."""
    fill = _fill(
        symbol=name(data.get("trading_pair")),
        side=word(data.get("trade_type")),
        price=number(data.get("price")),
        quantity=number(data.get("amount")),
        trade_fee=data.get("trade_fee"),
        trade_id=identifier(data.get("exchange_trade_id")),
        at=at,
    )
    order_id = identifier(data.get("order_id"))
    if fill is None or not order_id:
        return None
    fill.order_id = order_id
    return fill


def of_history(row: Fields) -> Fill | None:
    """The fill of a row of history; None where it lacks what a fill is."""
    fill = _fill(
        symbol=name(row.get("symbol")),
        side=word(row.get("trade_type")),
        price=number(row.get("price")),
        quantity=number(row.get("quantity")),
        trade_fee=fields(row.get("raw_json")).get("trade_fee"),
        trade_id=identifier(row.get("trade_id")),
        at=moment(row.get("trade_timestamp")),
    )
    if fill is not None:
        fill.venue = name(row.get("market")) or None
    return fill


def _fill(
    *,
    symbol: str,
    side: str,
    price: float | None,
    quantity: float | None,
    trade_fee: object,
    trade_id: str,
    at: float | None,
) -> Fill | None:
    if not symbol or side not in _SIDES or price is None or quantity is None or price < 0 or quantity <= 0:
        return None
    if not trade_id:  # some connectors have none: the second and the quantity, as far as both tell them alike
        trade_id = f"@{math.floor(at or 0)}:{math.floor(quantity * _SCALE + 1e-6)}"
    return Fill(
        fill_id=trade_id,
        symbol=symbol,
        side=side,
        price=price,
        quantity=quantity,
        fee=fee_of(trade_fee, symbol, price, quantity),
        at=at,
    )
