"""Positions and totals of controllers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from deskwatch.events import Event, LogRecorded, PositionClosed, PositionOpened, PositionUpdated
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.hummingbot.performance import Performance, is_last_word
from deskwatch.sources.watched import Watched

Told = Callable[[], list[Event]]
ID = "pmm binance BTC-USDT"


def report(amount: float, *, side: str = "TradeType.BUY", profit: float = 0.0, **more: Any) -> dict[str, Any]:
    """One controller's, with one position."""
    row = {"connector_name": "binance", "trading_pair": "BTC-USDT", "side": side, "amount": amount}
    row |= {"breakeven_price": 100.0, "unrealized_pnl_quote": 3.0 if amount else 0.0, "realized_pnl_quote": profit}
    row |= {"cum_fees_quote": 0.5, "volume_traded_quote": 1000.0, **more}
    return {"pmm": {"performance": {"realized_pnl_quote": profit, "positions_summary": [row]}, "custom_info": {}}}


@pytest.fixture
def performance(watched: Watched) -> Performance:
    return Performance(watched, cast("HummingbotMemory", watched.memory), strategy="v2")


def positions(told: Told) -> list[Any]:
    return [one for one in told() if not isinstance(one, LogRecorded)]


def test_a_position_is_told_once_and_then_what_changes(performance: Performance, told: Told) -> None:
    for amount in (1.0, 1.0, 1.5):
        assert performance.take(report(amount))
    opened, valued, grown = positions(told)
    where: Any = {"position_id": ID, "venue": "binance", "symbol": "BTC-USDT", "asset": "USDT", "strategy": "v2"}
    assert opened == PositionOpened(**where, side="long", quantity=1.0, entry_price=100.0)
    assert valued == PositionUpdated(
        position_id=ID, quantity=1.0, entry_price=100.0, mark_price=103.0, unrealized_pnl=3.0
    )
    assert grown == PositionUpdated(
        position_id=ID, quantity=1.5, entry_price=100.0, mark_price=102.0, unrealized_pnl=3.0
    )


def test_the_profits_of_all_closings_make_up_what_hummingbot_says(performance: Performance, told: Told) -> None:
    """It counts profit and fees over all the times that a position was flat."""
    for amount, profit in ((1.0, 0.0), (0.0, 5.0), (2.0, 5.0), (0.0, 2.0)):
        performance.take(report(amount, profit=profit))
    closed = [one.realized_pnl or 0.0 for one in told() if isinstance(one, PositionClosed)]
    assert closed == [4.5, -3.0]
    assert sum(closed) == 2.0 - 0.5


def test_a_position_that_turns_is_closed_and_opened(performance: Performance, told: Told) -> None:
    performance.take(report(1.0))
    performance.take(report(1.0, side="SELL"))
    assert [type(one) for one in positions(told)][2:] == [PositionClosed, PositionOpened, PositionUpdated]
    assert positions(told)[3].side == "short"
    assert positions(told)[4].mark_price == 97.0


def test_sums_that_began_anew_count_from_nothing(performance: Performance, told: Told) -> None:
    performance.take(report(1.0))
    performance.take(report(0.0, profit=5.0))
    performance.take(report(1.0, profit=0.0, volume_traded_quote=10.0))
    performance.take(report(0.0, profit=1.0, volume_traded_quote=20.0))
    assert [one.realized_pnl for one in told() if isinstance(one, PositionClosed)] == [4.5, 0.5]


def test_a_position_that_its_controller_lists_no_more_is_gone(performance: Performance, told: Told) -> None:
    performance.take(report(1.0, profit=2.0))
    performance.take({"pmm": {"performance": {"positions_summary": []}}})
    assert positions(told)[-1].reason == "gone"
    assert positions(told)[-1].realized_pnl == 1.5


def test_a_last_word_tells_the_totals_and_that_it_ended(performance: Performance, told: Told) -> None:
    performance.take(report(1.0, profit=2.0))
    performance.take(report(1.0, profit=3.0))
    assert not performance.take({"pmm": {}})
    totals = [one for one in told() if isinstance(one, LogRecorded)]
    assert [one.extra for one in totals] == [
        {"controller": "pmm", "realized_pnl_quote": 2.0},
        {"controller": "pmm", "realized_pnl_quote": 3.0},
    ]


@pytest.mark.parametrize("more", [{"side": None}, {"trading_pair": "BTC"}, {"amount": "x"}, {"connector_name": {}}])
def test_a_summary_that_lacks_what_a_position_is_is_left_out(
    performance: Performance, told: Told, more: dict[str, Any]
) -> None:
    performance.take(report(**{"amount": 1.0, **more}))
    assert positions(told) == []


@pytest.mark.parametrize(
    ("message", "ends"),
    [({"pmm": {}}, True), ({"pmm": {}, "arb": {}}, True), ({}, False), ({"pmm": None}, False), ({"x": 1}, False)],
)
def test_only_a_last_word_says_that_the_strategy_ended(message: dict[str, Any], ends: bool) -> None:
    """Else odd payloads would show a trading bot as halted, and its orders as canceled."""
    assert is_last_word(message) is ends
