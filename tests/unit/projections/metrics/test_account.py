"""Metrics of balances, equity and drawdown."""

from __future__ import annotations

from typing import Any

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
    metrics = fold(equity(100), other, TransferRecorded(venue="v", asset="ETH", amount=5))
    assert value(metrics, "tradebot_equity_peak", bot="arb-1") == 100


def test_equity_that_is_unknown_changes_nothing() -> None:
    assert samples(fold(equity(None)), "tradebot_equity") == []


def test_without_anything_to_lose_there_is_no_drawdown() -> None:
    assert value(fold(equity(0), equity(-5)), "tradebot_drawdown_ratio") == 0


def test_when_each_equity_and_the_balances_of_a_venue_were_seen_is_shown() -> None:
    metrics = fold(
        record_of(equity(1, "a"), ts=START_NS),
        record_of(equity(1, "b"), ts=START_NS + 10**9),
        record_of(BalanceObserved(venue="v", asset="ETH", total=3.0), ts=START_NS),
    )
    assert value(metrics, "tradebot_equity_timestamp_seconds", strategy="a") == START_NS / 1e9
    assert value(metrics, "tradebot_equity_timestamp_seconds", strategy="b") == START_NS / 1e9 + 1
    assert value(metrics, "tradebot_balance_timestamp_seconds", venue="v") == START_NS / 1e9


def test_equity_and_drawdown_stay_after_the_bots_death() -> None:
    metrics = fold(record_of(equity(10), ts=START_NS), record_of(equity(5), ts=START_NS + 1))
    assert samples(metrics, "tradebot_drawdown_ratio", now=4e9) == samples(metrics, "tradebot_drawdown_ratio")
    assert len(samples(metrics, "tradebot_equity", now=4e9)) == 1


def moved(amount: float, asset: str = "USDT", **more: Any) -> TransferRecorded:
    return TransferRecorded(venue="v", asset=asset, amount=amount, **more)


def test_what_came_in_and_went_out_is_counted() -> None:
    metrics = fold(moved(50), moved(-20), moved(7))
    assert value(metrics, "tradebot_deposited_total", asset="USDT") == 57
    assert value(metrics, "tradebot_withdrawn_total", asset="USDT") == 20


def test_a_transfer_in_the_asset_of_the_equity_needs_no_worth() -> None:
    assert value(fold(equity(100), moved(50)), "tradebot_equity_peak") == 150


def peaks(metrics: Any) -> dict[str, float]:
    return {labels.get("strategy", ""): one for labels, one in samples(metrics, "tradebot_equity_peak")}


def test_a_transfer_of_a_strategy_moves_its_peak_and_that_of_the_bot_as_a_whole() -> None:
    metrics = fold(equity(100, "a"), equity(100, "b"), equity(200), moved(-50, strategy="b"))
    assert peaks(metrics) == {"a": 100, "b": 50, "": 150}
    after = fold(equity(50, "b"), equity(150), into=metrics)
    assert {one for _, one in samples(after, "tradebot_drawdown_ratio")} == {0}


def test_a_transfer_of_a_strategy_whose_equity_is_not_kept_apart_moves_the_bots_own_peak() -> None:
    assert peaks(fold(equity(200), moved(-50, strategy="b"))) == {"": 150}


def test_a_transfer_of_a_strategy_without_equity_moves_no_peak() -> None:
    assert peaks(fold(equity(100, "a"), moved(5, strategy="b"))) == {"a": 100}


def test_a_transfer_without_a_strategy_moves_the_bots_own_peak_or_the_only_one() -> None:
    assert peaks(fold(equity(100, "a"), equity(200), moved(5))) == {"a": 100, "": 205}
    assert peaks(fold(equity(100, "a"), moved(5))) == {"a": 105}
    assert peaks(fold(equity(100, "a"), equity(100, "b"), moved(5))) == {"a": 100, "b": 100}


def test_where_equity_is_kept_in_several_assets_a_transfer_moves_the_peak_in_its_own() -> None:
    metrics = fold(equity(100), EquityObserved(equity=2, asset="BTC"), moved(1, "BTC"))
    assert value(metrics, "tradebot_equity_peak", asset="BTC") == 3
    assert value(metrics, "tradebot_equity_peak", asset="USDT") == 100


def test_equity_that_no_bot_can_mean_leaves_the_peak() -> None:
    metrics = fold(equity(100), equity(1e300), equity(-1e300), moved(1e300))
    assert value(metrics, "tradebot_equity_peak") == 100
    assert value(metrics, "tradebot_drawdown_ratio") == 0
    assert value(metrics, "deskwatch_refused_values_total", kind="tradebot_equity", reason="too_large") == 2


def test_a_debt_is_a_whole_drawdown() -> None:
    assert value(fold(equity(100), equity(-50)), "tradebot_drawdown_ratio") == 1
