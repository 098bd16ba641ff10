"""freqtrade's JSON is read without trust."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.encoding import check, encode
from deskwatch.sources.freqtrade import account, identity, locks, log_records, reading
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from deskwatch.sources.freqtrade.reading import Unreadable
from deskwatch.sources.freqtrade.trades import differences
from tests.unit.sources.freqtrade.payloads import new_order, new_trade

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([1e308, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TRADE = new_trade(7, "BTC/USDT:USDT", 1.0, 100.0) | {"trading_mode": "futures", "leverage": 3.0}
TRADE["orders"] = [new_order(TRADE, "buy", 1.0, 1.0), new_order(TRADE, "sell", 1.0, 0.5)]
some_trade = st.fixed_dictionaries({key: st.just(value) | anything for key, value in TRADE.items()})
some_order = st.fixed_dictionaries({key: st.just(value) | anything for key, value in TRADE["orders"][0].items()})


@given(raw=some_trade, orders=st.lists(some_order, max_size=3))
def test_whatever_a_trade_holds_it_is_refused_or_told_in_events_that_a_journal_takes(
    raw: dict[str, Any], orders: list[Any]
) -> None:
    memory = FreqtradeMemory()
    for given_orders in (raw["orders"], orders):
        try:
            trade = reading.trade(raw | {"orders": given_orders}, "binance")
        except Unreadable:
            return
        for event in differences(trade, memory, 1.8e9):
            if not (isinstance(event, ev.PositionClosed) and event.realized_pnl is None):
                check(event, encode(event))
            memory.fold(event)


@given(raw=anything)
def test_other_answers_are_read_or_refused(raw: Any) -> None:
    memory = FreqtradeMemory()
    for read in (
        lambda: list(account.balances(raw, memory, "binance", all_of_them=True)),
        lambda: list(account.balances({"currencies": [raw, {"currency": raw}]}, memory, "x", all_of_them=True)),
        lambda: account.equity({"currencies": [raw], "stake": "USDT"}, is_shared=False),
        lambda: list(locks.alerts({"locks": [raw, {"pair": raw, "reason": raw}]}, memory, 0.0)),
        lambda: log_records.read({"logs": [raw, [raw, raw, raw, raw, raw]]}),
        lambda: identity.vitals(raw),
        lambda: identity.vitals({"bot_start_ts": raw, "bot_startup_ts": raw, "last_process_ts": raw}),
    ):
        with contextlib.suppress(Unreadable):
            read()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (None, None), (float("nan"), None), (float("-inf"), None),
     (10**400, None), (1e300, None)],
)  # fmt: skip
def test_a_figure_is_finite_and_of_a_sane_size(value: Any, expected: float | None) -> None:
    assert reading.number(value) == expected


def test_a_text_is_cut_and_of_one_line():
    assert reading.text("a\nb\x00c\u202e") == "a b c"
    assert len(reading.text("x" * 1000) or "") == reading.MOST_CHARACTERS
    assert reading.text(" \n ") is None


def test_an_open_trades_profit_is_unknown_without_a_price():
    raw = TRADE | {"current_rate": None, "profit_abs": None, "total_profit_abs": 0.0}
    assert reading.trade(raw, "binance").profit is None


def test_an_older_versions_open_trade_has_its_profit_and_what_it_realized():
    raw = TRADE | {"profit_abs": 2.0, "realized_profit": 1.5}
    assert reading.trade(raw, "binance").profit == 3.5
    assert reading.trade(raw | {"total_profit_abs": 4.0}, "binance").profit == 4.0


def test_orders_that_were_canceled_unfilled_are_as_if_not_there():
    raw = TRADE | {"orders": [new_order(TRADE, "buy", 1.0, 0.0) | {"is_open": False, "status": "canceled"}]}
    assert reading.trade(raw, "binance").orders == ()


def test_a_stoploss_order_is_an_exit():
    order = reading.trade(TRADE | {"orders": [new_order(TRADE, "stoploss", 1.0, 0.0)]}, "binance").orders[0]
    assert (order.side, order.kind, order.is_entry) == ("sell", "stoploss", False)
