"""What freqtrade's JSON says, read without trust: a wrong type, a null or a missing key is an unknown, never a crash.

Shapes are those of freqtrade 2026.9: `rpc/api_server/api_schemas.py`, and `to_json` in `persistence/trade_model.py`.
`/status` shows fewer fields of an order than `/trades`, and older versions fewer of both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

Raw: TypeAlias = Any
"""JSON as a peer sent it: nothing of it was checked yet."""

MOST_CHARACTERS = 255
"""Of a name, tag or reason: freqtrade's own limit (`CUSTOM_TAG_MAX_LENGTH`)."""
MOST = 1e18
"""No price, amount or profit is larger; what is, was not meant."""
MOST_ORDERS = 1000
"""Of one trade that are read."""


class Unreadable(ValueError):
    """Something that freqtrade said makes no sense. Its words say what was expected."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a trade."""

    id: str
    side: str
    """`buy` or `sell`."""
    kind: str | None
    """`limit`, `market`, `stoploss` …"""
    is_entry: bool
    is_open: bool
    status: str
    """As ccxt has it: `open`, `closed`, `canceled`, `expired`, `rejected`."""
    amount: float | None
    """Wanted, in the base asset."""
    filled: float
    """So far, in the base asset."""
    price: float | None
    """Average of what is filled; the limit before that."""
    limit: float | None
    """The price that was asked for, where it is told."""
    fee_base: float
    """Fee that was taken out of what was bought, in the base asset."""
    placed: float | None
    """Unix time."""
    done: float | None
    """Unix time of its last fill."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An open entry order."""

    order_id: str
    adds: bool
    """Whether to a position that is open already."""
    stake: float
    """What it was placed with, in the stake currency."""
    rest: float
    """What of that is not filled yet."""


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A position as freqtrade keeps it, with its orders in the order of their placing."""

    id: str
    symbol: str
    venue: str
    asset: str
    """The stake currency: profit, fees and prices are in it."""
    strategy: str | None
    is_short: bool
    is_open: bool
    is_futures: bool
    amount: float | None
    rate: float | None
    """Average entry."""
    wanted: float | None
    """The price that the first entry was to have."""
    stake: float | None
    leverage: float | None
    liquidation: float | None
    mark: float | None
    profit: float | None
    """In `asset`, net of fees and funding. Of an open trade: what is realized of it, and the rest at `mark`."""
    exit_rate: float | None
    reason: str | None
    funding: float | None
    """Exchanged since it was opened; positive: received."""
    fee_open: float | None
    fee_close: float | None
    """A part of an order's worth."""
    has_fee: bool
    """Whether `fee_open` is what was paid: it is a guess until freqtrade has looked into the first fill."""
    opened: float | None
    closed: float | None
    """Unix times."""
    orders: tuple[Order, ...]

    @property
    def side(self) -> str:
        """`long` or `short`."""
        return "short" if self.is_short else "long"

    def waiting(self) -> Iterator[Waiting]:
        """Its open entry orders."""
        for order in self.orders:
            if order.is_open and order.is_entry and order.amount and order.price:
                each = order.price / (self.leverage or 1.0)
                yield Waiting(
                    order_id=order.id,
                    adds=self.amount is not None,
                    stake=order.amount * each,
                    rest=max(order.amount - order.filled, 0.0) * each,
                )

    @property
    def base(self) -> str:
        """The coin that is traded."""
        return self.symbol.partition("/")[0]


def number(value: Raw) -> float | None:
    """A finite figure of a sane size; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > MOST:
        return None  # beyond float, perhaps
    return float(value) if math.isfinite(value) and abs(value) <= MOST else None


def positive(value: Raw) -> float | None:
    """A figure above 0."""
    found = number(value)
    return found if found is not None and found > 0 else None


def text(value: Raw) -> str | None:
    """A text, cut and on one line; None for anything else, and for an empty one."""
    if not isinstance(value, str):
        return None
    cut = value[:MOST_CHARACTERS]
    plain = cut if cut.isprintable() else "".join(each if each.isprintable() else " " for each in cut)
    return plain.strip() or None


def seconds(milliseconds: Raw) -> float | None:
    """Unix time in seconds of one in milliseconds."""
    found = positive(milliseconds)
    return None if found is None else found / 1000


def mapping(value: Raw, what: str) -> dict[str, Raw]:
    """A JSON object.

    Raises:
        Unreadable: It is none.
    """
    if not isinstance(value, dict):
        raise Unreadable(f"expected {what} as an object, was {type(value).__name__}")
    return value


def listed(value: Raw, what: str) -> list[Raw]:
    """A JSON array.

    Raises:
        Unreadable: It is none.
    """
    if not isinstance(value, list):
        raise Unreadable(f"expected {what} as a list, was {type(value).__name__}")
    return value


def trade_id(raw: Raw) -> str | None:
    """A trade's id as text; None where it has none."""
    found = raw.get("trade_id") if isinstance(raw, dict) else None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 2**53:
        return None
    return str(found)


def trade(raw: Raw, venue: str) -> Trade:
    """A trade of `/status` or `/trades`.

    Args:
        raw: It, as it came.
        venue: The exchange, where the trade does not name it.

    Raises:
        Unreadable: It has no id, no pair, or no word on whether it is open.
    """
    found = mapping(raw, "a trade")
    identity, symbol, is_open = trade_id(found), text(found.get("pair")), found.get("is_open")
    if identity is None:
        raise Unreadable(f"expected a trade's trade_id as a whole number, was {str(found.get('trade_id'))[:40]!r}")
    if symbol is None or not isinstance(is_open, bool):
        raise Unreadable(f"expected pair and is_open of trade {identity}, were {symbol!r} and {str(is_open)[:40]!r}")
    is_short = found.get("is_short") is True
    mode = found.get("trading_mode")
    return Trade(
        id=identity,
        symbol=symbol,
        venue=text(found.get("exchange")) or venue,
        asset=text(found.get("quote_currency")) or quote_of(symbol),
        strategy=text(found.get("strategy")),
        is_short=is_short,
        is_open=is_open,
        is_futures=mode != "spot" if isinstance(mode, str) else ":" in symbol,
        amount=positive(found.get("amount")),
        rate=positive(found.get("open_rate")),
        wanted=positive(found.get("open_rate_requested")),
        stake=positive(found.get("stake_amount")),
        leverage=positive(found.get("leverage")),
        liquidation=positive(found.get("liquidation_price")),
        mark=positive(found.get("current_rate")),
        profit=_profit(found, is_open=is_open),
        exit_rate=positive(found.get("close_rate")),
        reason=text(found.get("exit_reason")),
        funding=number(found.get("funding_fees")),
        fee_open=number(found.get("fee_open")),
        fee_close=number(found.get("fee_close")),
        has_fee=found.get("fee_open_currency", "") is not None,
        opened=seconds(found.get("open_fill_timestamp")) or seconds(found.get("open_timestamp")),
        closed=seconds(found.get("close_timestamp")),
        orders=_orders(found.get("orders"), is_short=is_short),
    )


def quote_of(symbol: str) -> str:
    """`BTC/USDT:USDT` → `USDT`."""
    return symbol.partition("/")[2].partition(":")[0] or symbol


def _profit(found: dict[str, Raw], *, is_open: bool) -> float | None:
    if not is_open:
        closed = number(found.get("close_profit_abs"))
        return number(found.get("profit_abs")) if closed is None else closed
    rest = number(found.get("profit_abs"))
    if rest is None:
        return None  # there is no price: `total_profit_abs` is 0 then, which is no profit
    total = number(found.get("total_profit_abs"))
    return rest + (number(found.get("realized_profit")) or 0.0) if total is None else total


def _orders(raw: Raw, *, is_short: bool) -> tuple[Order, ...]:
    """Those that are open or filled at least in part.

    freqtrade does not show the others, and a version that did would have them told anew with each look.
    """
    items = (raw if isinstance(raw, list) else [])[:MOST_ORDERS]
    orders = [one for each in items if (one := _order(each, is_short)) is not None and (one.is_open or one.filled)]
    return tuple(sorted(orders, key=lambda one: one.placed or one.done or 0.0))


def _order(raw: Raw, is_short: bool) -> Order | None:
    """None where it has no id: it can't be told once then."""
    if not isinstance(raw, dict) or (identity := text(raw.get("order_id"))) is None:
        return None
    entry_side, exit_side = ("sell", "buy") if is_short else ("buy", "sell")
    side = text(raw.get("ft_order_side")) or entry_side
    is_entry = side == entry_side
    is_open = raw.get("is_open") is True
    return Order(
        id=identity,
        side=entry_side if is_entry else exit_side,  # `stoploss` closes
        kind="stoploss" if side == "stoploss" else text(raw.get("order_type")),
        is_entry=is_entry,
        is_open=is_open,
        status=(text(raw.get("status")) or ("open" if is_open else "closed")).lower(),
        amount=positive(raw.get("amount")),
        filled=positive(raw.get("filled")) or 0.0,
        price=positive(raw.get("average")) or positive(raw.get("safe_price")) or positive(raw.get("price")),
        limit=positive(raw.get("price")),
        fee_base=positive(raw.get("ft_fee_base")) or 0.0,
        placed=seconds(raw.get("order_timestamp")),
        done=seconds(raw.get("order_filled_timestamp")),
    )
