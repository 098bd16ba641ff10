"""Metrics of balances, equity and drawdown."""

from __future__ import annotations

import pytest

from deskwatch.events import BalanceObserved, EquityObserved, TransferRecorded
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def equity(amount: float | None, strategy: str | None = None) -> EquityObserved:
    return EquityObserved(equity=amount, asset="USDT", strategy=strategy)


def test_balances_are_per_venue_and_asset() -> None:
    metrics = fold(
        BalanceObserved(venue="v", asset="ETH", total=3.0, free=2.0),
        BalanceObserved(venue="v", asset="USDT", total=9.0),
    )
    assert value(metrics, "tradebot_balance", venue="v", asset="ETH") == 3
    assert value(metrics, "tradebot_balance_free", asset="ETH") == 2
    assert value(metrics, "tradebot_balance", asset="USDT") == 9
    assert value(metrics, "tradebot_balance_free", asset="USDT") is None


def test_drawdown_is_the_loss_from_the_peak() -> None:
    metrics = fold(equity(100), equity(120), equity(90))
    assert value(metrics, "tradebot_equity", asset="USDT") == 90
    assert value(metrics, "tradebot_equity_peak") == 120
    assert value(metrics, "tradebot_drawdown_ratio") == 0.25
    fold(equity(130), into=metrics)
    assert value(metrics, "tradebot_drawdown_ratio") == 0


def test_the_time_of_the_newest_equity_is_shown() -> None:
    metrics = fold(record_of(equity(1), ts=START_NS))
    assert value(metrics, "tradebot_equity_timestamp_seconds") == START_NS / 1e9


@pytest.mark.parametrize(("moved", "after"), [(50, 150), (-50, 50)], ids=["deposit", "withdrawal"])
def test_transfers_are_neither_profit_nor_drawdown(moved: float, after: float) -> None:
    transfer = TransferRecorded(venue="v", asset="USDT", amount=moved, value=moved)
    metrics = fold(equity(100), transfer, equity(after))
    assert value(metrics, "tradebot_drawdown_ratio") == 0
    assert value(metrics, "tradebot_equity_peak") == after
    assert value(metrics, "tradebot_transfers_total", asset="USDT") == 1


def test_another_bots_transfer_and_one_of_unknown_worth_move_no_peak() -> None:
    other = record_of(TransferRecorded(venue="v", asset="USDT", amount=5, value=5), bot="arb-2")
    metrics = fold(equity(100), other, TransferRecorded(venue="v", asset="USDT", amount=5))
    assert value(metrics, "tradebot_equity_peak", bot="arb-1") == 100


def test_equity_that_is_unknown_changes_nothing() -> None:
    assert samples(fold(equity(None)), "tradebot_equity") == []


def test_without_anything_to_lose_there_is_no_drawdown() -> None:
    assert value(fold(equity(0), equity(-5)), "tradebot_drawdown_ratio") == 0
