"""Metrics of fills: volume, fees, rebates and slippage."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import OrderFilled
from deskwatch.projections.metrics import Metrics
from tests.unit.projections.folding import fold, samples, value

TRACE = "0af7651916cd43dd8448eb211c80319c"


def filled(**more: Any) -> OrderFilled:
    fields = {"order_id": "o", "venue": "dex", "symbol": "ETH/USDT", "side": "buy", "strategy": "arb"}
    return OrderFilled(**{**fields, "quantity": 2.0, "price": 1500.0, "final": True, "asset": "USDT", **more})


def refused(metrics: Metrics, kind: str, reason: str) -> float | None:
    return value(metrics, "deskwatch_refused_values_total", kind=kind, reason=reason)


def test_volume_is_in_the_quote_asset_and_fees_in_their_own() -> None:
    metrics = fold(filled(fee=1.5, fee_asset="BNB"), filled(fee=3.0), filled(asset=None))
    assert value(metrics, "tradebot_volume_total", asset="USDT") == 6000
    assert value(metrics, "tradebot_volume_total", asset="") == 3000
    assert value(metrics, "tradebot_fees_total", asset="BNB") == 1.5
    assert value(metrics, "tradebot_fees_total", asset="USDT") == 3.0


@pytest.mark.parametrize("missing", ["price", "quantity"])
def test_a_fill_without_a_figure_counts_and_adds_no_volume(missing: str) -> None:
    metrics = fold(filled(**{missing: None}))
    assert value(metrics, "tradebot_fills_total") == 1
    assert samples(metrics, "tradebot_volume_total") == []


@pytest.mark.parametrize("wrong", [{"price": -1.0}, {"quantity": -1.0}, {"price": -1.0, "quantity": -1.0}])
def test_a_price_or_size_below_zero_adds_no_volume_and_is_refused(wrong: dict[str, float]) -> None:
    metrics = fold(filled(**wrong, slippage_ratio=0.5))
    assert value(metrics, "tradebot_fills_total") == 1
    assert samples(metrics, "tradebot_volume_total") == []
    assert samples(metrics, "tradebot_slippage_lost_total") == []
    assert refused(metrics, "tradebot_volume", "negative") == 1


def test_a_fee_below_zero_is_a_rebate() -> None:
    metrics = fold(filled(fee=-0.25, fee_asset="BNB"), filled(fee=1.0, fee_asset="BNB"))
    assert value(metrics, "tradebot_rebates_total", asset="BNB") == 0.25
    assert value(metrics, "tradebot_fees_total", asset="BNB") == 1


def test_fills_are_counted_by_whether_the_bot_made_or_took() -> None:
    metrics = fold(filled(liquidity="maker"), filled(liquidity="taker"), filled(liquidity="taker"), filled())
    found = {labels["kind"]: one for labels, one in samples(metrics, "tradebot_fills_by_liquidity_total")}
    assert found == {"maker": 1, "taker": 2}


def test_slippage_is_counted_where_it_was_worse_and_its_worth_on_both_sides() -> None:
    metrics = fold(filled(slippage_ratio=0.002), filled(slippage_ratio=-0.001), filled(slippage_ratio=0.0), filled())
    assert value(metrics, "tradebot_slippage_ratio_count", strategy="arb", venue="dex") == 3
    assert value(metrics, "tradebot_slippage_ratio_sum") == 0.002
    assert value(metrics, "tradebot_slippage_ratio_bucket", le="0.0001") == 2
    assert value(metrics, "tradebot_slippage_ratio_bucket", le="0.0025") == 3
    assert value(metrics, "tradebot_slippage_lost_total", symbol="ETH/USDT", asset="USDT") == 6
    assert value(metrics, "tradebot_slippage_gained_total", symbol="ETH/USDT", asset="USDT") == 3


def test_slippage_of_a_fill_of_unknown_worth_is_counted_as_a_ratio_only() -> None:
    metrics = fold(filled(slippage_ratio=0.002, price=None))
    assert value(metrics, "tradebot_slippage_ratio_count") == 1
    assert samples(metrics, "tradebot_slippage_lost_total") == []


def test_slippage_that_gives_more_than_everything_is_refused() -> None:
    metrics = fold(filled(slippage_ratio=-1.5))
    assert samples(metrics, "tradebot_slippage_ratio_count") == []
    assert refused(metrics, "tradebot_slippage_ratio", "out_of_range") == 1


def test_a_fill_that_slipped_can_be_looked_up() -> None:
    metrics = fold(filled(slippage_ratio=0.3, trace=TRACE))
    (reading,) = (one for one in metrics.readings(0) if one.family.name == "tradebot_slippage_ratio")
    assert [each.trace for one in reading.exemplars.values() for each in one.values()] == [TRACE]
