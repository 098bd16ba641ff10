"""Metrics of closed trades."""

from __future__ import annotations

from typing import Any

from deskwatch.events import PositionClosed
from tests.unit.projections.folding import fold, samples, value


def closed(pnl: float | None, asset: str = "USDT", costs: float | None = None, **more: Any) -> PositionClosed:
    fields = {"position_id": "p", "venue": "v", "symbol": "ETH", "strategy": "s", "asset": asset, "costs": costs}
    return PositionClosed(**{**fields, "realized_pnl": pnl, **more})


def test_profit_and_loss_are_two_counters_and_their_difference_a_gauge() -> None:
    metrics = fold(closed(10), closed(-4), closed(5), closed(0))
    assert value(metrics, "tradebot_trades_closed_total", bot="arb-1", strategy="s", symbol="ETH") == 4
    assert value(metrics, "tradebot_trades_won_total") == 2
    assert value(metrics, "tradebot_profit_total", asset="USDT") == 15
    assert value(metrics, "tradebot_loss_total", asset="USDT") == 4
    assert value(metrics, "tradebot_realized_pnl", asset="USDT") == 11


def test_best_and_worst_trades_are_kept_and_start_at_zero() -> None:
    metrics = fold(closed(3))
    assert (value(metrics, "tradebot_best_trade"), value(metrics, "tradebot_worst_trade")) == (3, 0)
    fold(closed(-7), closed(1), into=metrics)
    assert (value(metrics, "tradebot_best_trade"), value(metrics, "tradebot_worst_trade")) == (3, -7)


def test_assets_are_kept_apart() -> None:
    metrics = fold(closed(10), closed(1, "BTC", 0.1))
    assert value(metrics, "tradebot_realized_pnl", asset="USDT") == 10
    assert value(metrics, "tradebot_realized_pnl", asset="BTC") == 1
    assert value(metrics, "tradebot_trade_costs_total", asset="BTC") == 0.1


def test_a_trade_of_unknown_result_is_counted_only() -> None:
    metrics = fold(closed(None))
    assert value(metrics, "tradebot_trades_closed_total") == 1
    assert samples(metrics, "tradebot_realized_pnl") == []


def test_trades_that_made_nothing_are_neither_won_nor_lost() -> None:
    metrics = fold(closed(10), closed(-4), closed(0))
    names = ("tradebot_trades_closed_total", "tradebot_trades_won_total", "tradebot_trades_lost_total")
    assert [value(metrics, name) for name in names] == [3, 1, 1]


def test_a_losing_streak_is_counted_over_symbols_and_ends_with_a_trade_that_lost_nothing() -> None:
    metrics = fold(closed(1))
    assert value(metrics, "tradebot_losing_streak", strategy="s") == 0
    fold(closed(-1), closed(-1, symbol="BTC"), into=metrics)
    assert value(metrics, "tradebot_losing_streak", strategy="s") == 2
    fold(closed(None), into=metrics)
    assert value(metrics, "tradebot_losing_streak", strategy="s") == 2
    fold(closed(0), into=metrics)
    assert value(metrics, "tradebot_losing_streak", strategy="s") == 0


def test_how_long_positions_were_held_is_counted_in_seconds_to_weeks() -> None:
    metrics = fold(closed(1, holding_seconds=90.0), closed(None, holding_seconds=200_000.0), closed(1))
    assert value(metrics, "tradebot_trade_holding_seconds_count", strategy="s") == 2
    assert value(metrics, "tradebot_trade_holding_seconds_bucket", le="300.0") == 1
    assert value(metrics, "tradebot_trade_holding_seconds_bucket", le="259200.0") == 2


def test_costs_below_zero_are_credits() -> None:
    metrics = fold(closed(1, costs=-0.5), closed(1, costs=2.0))
    assert value(metrics, "tradebot_trade_credits_total", asset="USDT") == 0.5
    assert value(metrics, "tradebot_trade_costs_total", asset="USDT") == 2


def test_a_profit_that_no_bot_can_mean_is_refused_whole() -> None:
    metrics = fold(closed(1), closed(1e300), closed(-1e300))
    assert (value(metrics, "tradebot_best_trade"), value(metrics, "tradebot_worst_trade")) == (1, 0)
    assert value(metrics, "tradebot_realized_pnl") == 1
    assert value(metrics, "tradebot_trades_closed_total") == 3
    assert value(metrics, "deskwatch_refused_values_total", reason="too_large") == 2
