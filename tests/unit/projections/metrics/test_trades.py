"""Metrics of closed trades and funding."""

from __future__ import annotations

from deskwatch.events import FundingPaid, PositionClosed
from tests.unit.projections.folding import fold, samples, value


def closed(pnl: float | None, asset: str = "USDT", costs: float | None = None) -> PositionClosed:
    return PositionClosed(
        position_id="p", venue="v", symbol="ETH", strategy="s", realized_pnl=pnl, asset=asset, costs=costs
    )


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


def test_funding_goes_both_ways() -> None:
    metrics = fold(*(FundingPaid(venue="v", symbol="ETH", amount=amount, asset="USDT") for amount in (2, -5, None)))
    assert value(metrics, "tradebot_funding_received_total", asset="USDT") == 2
    assert value(metrics, "tradebot_funding_paid_total", asset="USDT") == 5
