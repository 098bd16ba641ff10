"""A trade becomes events: payloads of a real freqtrade, and what it may do to a trade."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch import events as ev
from deskwatch.events import Event
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from deskwatch.sources.freqtrade.reading import trade
from deskwatch.sources.freqtrade.trades import differences
from tests.unit.sources.freqtrade.captured import CLOSED_SHORT, OPEN_SHORT
from tests.unit.sources.freqtrade.payloads import new_order, new_trade

LATER = CLOSED_SHORT["close_timestamp"] / 1000 + 60


def tell(raw: dict[str, Any], memory: FreqtradeMemory, now: float = LATER) -> list[Event]:
    """What is told of a trade, and remembered."""
    told = []
    for event in differences(trade(raw, "binance"), memory, now):
        memory.fold(event)
        told.append(event)
    return told


def of(events: list[Event], kind: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_closed_short_is_told_from_its_first_order_to_its_profit():
    told = tell(CLOSED_SHORT, FreqtradeMemory())
    assert [type(event).__name__ for event in told] == [
        "OrderSubmitted", "OrderFilled", "PositionOpened",
        "OrderSubmitted", "OrderFilled", "PositionUpdated",
        "OrderSubmitted", "OrderFilled", "FundingPaid", "PositionClosed",
    ]  # fmt: skip
    opened, closed = of(told, ev.PositionOpened)[0], of(told, ev.PositionClosed)[0]
    assert (opened.side, opened.quantity, opened.entry_price, opened.leverage) == ("short", 1501.0, 0.5996, 3.0)
    assert opened.liquidation_price == 0.7858
    assert (closed.realized_pnl, closed.exit_price, closed.reason) == (2.10120529, 0.5985, "held long enough")
    assert closed.holding_seconds == pytest.approx(12.621, abs=0.01)
    assert all(event.cause == "4" for event in of(told, ev.OrderFilled))
    assert [event.side for event in of(told, ev.OrderFilled)] == ["sell", "sell", "buy"]


def test_fees_and_funding_explain_the_profit():
    told = tell(CLOSED_SHORT, FreqtradeMemory())
    fills, closed = of(told, ev.OrderFilled), of(told, ev.PositionClosed)[0]
    assert fills[-1].fee == pytest.approx(CLOSED_SHORT["fee_close_cost"])
    gross = sum(fill.quantity * fill.price * (1 if fill.side == "sell" else -1) for fill in fills)
    assert gross - closed.costs == pytest.approx(closed.realized_pnl, abs=1e-7)
    assert of(told, ev.FundingPaid)[0].amount == 0.673806915


def test_what_is_told_later_says_when_it_happened_and_what_is_told_at_once_does_not():
    told = tell(CLOSED_SHORT, FreqtradeMemory())
    assert all(event.happened_timestamp_seconds for event in told)
    assert of(told, ev.PositionClosed)[0].happened_timestamp_seconds == 1795287902.574
    at_once = tell(CLOSED_SHORT, FreqtradeMemory(), now=CLOSED_SHORT["open_timestamp"] / 1000)
    assert not any(event.happened_timestamp_seconds for event in at_once)


def test_an_open_short_shows_its_figures_as_freqtrade_has_them():
    memory = FreqtradeMemory()
    tell(OPEN_SHORT, memory)
    known = memory.trades["20"]
    assert (known.mark, known.unrealized, known.quantity, known.margin) == (0.6011, 1.0431855, 1494.0, 299.9952)
    assert (known.leverage, known.liquidation) == (3.0, 0.7894)
    assert [order.is_open for order in known.orders.values()] == [False, True]
    assert tell(OPEN_SHORT, memory) == []


def test_a_spot_position_has_no_leverage_and_no_margin():
    raw = new_trade(3, "BTC/USDT", 1.0, 100.0)
    raw["orders"] = [new_order(raw, "buy", 1.0, 1.0)]
    opened = of(tell(raw, FreqtradeMemory()), ev.PositionOpened)[0]
    assert (opened.leverage, opened.margin, opened.liquidation_price) == (None, None, None)


def test_an_entry_that_waits_is_an_order_and_no_position():
    raw = new_trade(3, "BTC/USDT", 0.0, 100.0)
    raw["orders"] = [new_order(raw, "buy", 1.0, 0.0)]
    told = tell(raw, FreqtradeMemory())
    assert [type(event).__name__ for event in told] == ["OrderSubmitted"]
    assert of(told, ev.OrderSubmitted)[0].price == 100.0


def test_a_fill_in_parts_has_each_parts_price_and_is_done_with_the_last():
    memory = FreqtradeMemory()
    raw = new_trade(3, "BTC/USDT", 0.0, 100.0)
    order = new_order(raw, "buy", 4.0, 1.0)
    raw["orders"] = [order]
    first = tell(raw, memory)
    order.update(filled=4.0, safe_price=103.0, status="closed", is_open=False)
    raw["amount"] = 4.0
    second = tell(raw, memory)
    fills = of(first + second, ev.OrderFilled)
    assert [(fill.quantity, fill.price, fill.final) for fill in fills] == [(1.0, 100.0, False), (3.0, 104.0, True)]
    assert [fill.fill_id for fill in fills] == ["buy_3_0:1", "buy_3_0:4"]
    assert len(of(first + second, ev.PositionOpened)) == 1
    assert memory.trades["3"].quantity == 4.0
    assert memory.trades["3"].entry == 100.0  # freqtrade's own open_rate


@pytest.mark.parametrize(
    ("status", "kind"), [("canceled", ev.OrderCanceled), ("expired", ev.OrderExpired), ("rejected", ev.OrderRejected)]
)
def test_an_order_that_ends_after_a_part_is_filled_is_told_as_ended_so(status: str, kind: type[Event]) -> None:
    raw = new_trade(3, "BTC/USDT", 1.0, 100.0)
    raw["orders"] = [new_order(raw, "buy", 4.0, 1.0) | {"status": status, "is_open": False}]
    told = tell(raw, FreqtradeMemory())
    assert [fill.final for fill in of(told, ev.OrderFilled)] == [False]
    assert len(of(told, kind)) == 1


@pytest.mark.parametrize(
    ("side", "price", "slippage"), [("buy", 101.0, 0.01), ("sell", 99.0, 0.01), ("sell", 101.0, -0.01)]
)
def test_slippage_is_positive_where_the_price_was_worse_than_wanted(side: str, price: float, slippage: float) -> None:
    raw = new_trade(3, "BTC/USDT", 1.0, 100.0)
    raw["orders"] = [new_order(raw, side, 1.0, 1.0) | {"price": 100.0, "average": price}]
    assert of(tell(raw, FreqtradeMemory()), ev.OrderFilled)[0].slippage_ratio == pytest.approx(slippage)


def test_a_market_entrys_slippage_is_against_the_rate_that_freqtrade_requested():
    raw = new_trade(3, "BTC/USDT", 1.0, 100.0) | {"open_rate_requested": 80.0}
    raw["orders"] = [new_order(raw, "buy", 1.0, 1.0)]
    assert of(tell(raw, FreqtradeMemory()), ev.OrderFilled)[0].slippage_ratio == pytest.approx(0.25)


def test_what_a_partial_exit_made_stays_in_the_unrealized_profit_until_the_trade_is_closed():
    memory = FreqtradeMemory()
    raw = new_trade(3, "BTC/USDT", 0.5, 100.0) | {"profit_abs": 1.0, "realized_profit": 4.0, "total_profit_abs": 5.0}
    raw["orders"] = [new_order(raw, "buy", 1.0, 1.0)]
    raw["orders"].append(new_order(raw, "sell", 0.5, 0.5))
    tell(raw, memory)
    assert memory.trades["3"].unrealized == 5.0
    assert memory.trades["3"].quantity == 0.5


@pytest.mark.parametrize("is_known", [False, True])
def test_an_order_that_rests_when_freqtrade_closes_its_trade_is_open_no_more(is_known: bool) -> None:
    """It may place one more exit in the moment in which the last one is filled, and looks at it never again."""
    memory = FreqtradeMemory()
    if is_known:
        tell(CLOSED_SHORT | {"is_open": True, "orders": CLOSED_SHORT["orders"][:1]}, memory)
    last = CLOSED_SHORT["orders"][-1]
    still = {"is_open": True, "status": "open", "filled": 0.0, "remaining": last["amount"]}
    resting = last | still | {"order_id": "one-more", "order_filled_timestamp": None}
    told = tell(CLOSED_SHORT | {"orders": [*CLOSED_SHORT["orders"], resting]}, memory)
    (canceled,) = of(told, ev.OrderCanceled)
    assert (canceled.order_id, canceled.reason) == (resting["order_id"], "trade_closed")
    submitted = {event.order_id for event in of(told, ev.OrderSubmitted)}
    assert resting["order_id"] in submitted
    assert isinstance(told[-1], ev.PositionClosed)


def test_an_old_trade_without_orders_is_still_opened_and_closed():
    memory = FreqtradeMemory()
    told = tell(CLOSED_SHORT | {"orders": []}, memory)
    assert [type(event).__name__ for event in told] == ["PositionOpened", "FundingPaid", "PositionClosed"]
    assert memory.is_closed("4")
    assert tell(CLOSED_SHORT, memory) == []


def test_funding_is_told_by_what_came_since():
    memory = FreqtradeMemory()
    tell(OPEN_SHORT, memory)
    for total, expected in ((0.5, [0.5]), (0.5, []), (0.3, [-0.2]), (None, [])):
        told = tell(OPEN_SHORT | {"funding_fees": total}, memory)
        assert [event.amount for event in of(told, ev.FundingPaid)] == pytest.approx(expected)


def test_a_fee_in_the_base_asset_makes_the_position_smaller():
    raw = new_trade(3, "BTC/USDT", 0.999, 100.0)
    raw["orders"] = [new_order(raw, "buy", 1.0, 1.0) | {"ft_fee_base": 0.001}]
    assert of(tell(raw, FreqtradeMemory()), ev.PositionOpened)[0].quantity == 0.999
