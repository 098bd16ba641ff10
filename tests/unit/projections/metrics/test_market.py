"""Metrics of prices and liquidity pools."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import PoolObserved, PriceObserved
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def observed(price: float | None, **more: Any) -> PriceObserved:
    return PriceObserved(venue="v", symbol="ETH", price=price, **more)


def pool(**more: Any) -> PoolObserved:
    fields = {"venue": "pool-a", "symbol": "WETH/USDC", "chain": "local", "contract": "0xab", "price": 1800.0}
    assets = {"base_asset": "WETH", "quote_asset": "USDC", "base_reserve": 10.0, "quote_reserve": 18_000.0}
    return PoolObserved(**{**fields, **assets, "liquidity": 36_000.0, **more})


def test_the_newest_price_and_its_time_are_shown() -> None:
    metrics = fold(observed(1.0), record_of(observed(1800.5), ts=START_NS))
    assert value(metrics, "tradebot_price", venue="v", symbol="ETH") == 1800.5
    assert value(metrics, "tradebot_price_timestamp_seconds", venue="v") == START_NS / 1e9


def test_change_and_volume_of_a_day_are_shown() -> None:
    metrics = fold(observed(1.0, change_24h_ratio=-0.05, volume_24h=1e6, asset="USDT"))
    assert value(metrics, "tradebot_price_change_24h_ratio", symbol="ETH") == -0.05
    assert value(metrics, "tradebot_market_volume_24h", symbol="ETH", asset="USDT") == 1e6


@pytest.mark.parametrize("price", [None, 0.0, -1.0])
def test_what_is_no_price_leaves_the_old_one_and_its_time(price: float | None) -> None:
    metrics = fold(record_of(observed(7.0), ts=START_NS), record_of(observed(price), ts=START_NS + 10**9))
    assert value(metrics, "tradebot_price") == 7
    assert value(metrics, "tradebot_price_timestamp_seconds") == START_NS / 1e9


def test_more_than_everything_is_not_lost_in_a_day_and_no_volume_is_negative() -> None:
    metrics = fold(observed(1.0, change_24h_ratio=-1.5, volume_24h=-1.0))
    assert samples(metrics, "tradebot_price_change_24h_ratio") == []
    assert samples(metrics, "tradebot_market_volume_24h") == []
    found = {(labels["kind"], labels["reason"]) for labels, _ in samples(metrics, "deskwatch_refused_values_total")}
    assert found == {("tradebot_price_change_24h_ratio", "out_of_range"), ("tradebot_market_volume_24h", "negative")}


def test_a_pool_gives_a_price_its_reserves_and_its_liquidity() -> None:
    metrics = fold(record_of(pool(), ts=START_NS))
    assert value(metrics, "tradebot_price", venue="pool-a", symbol="WETH/USDC") == 1800
    assert value(metrics, "tradebot_price_timestamp_seconds", venue="pool-a") == START_NS / 1e9
    assert value(metrics, "tradebot_pool_reserve", asset="WETH") == 10
    assert value(metrics, "tradebot_pool_reserve", asset="USDC") == 18_000
    assert value(metrics, "tradebot_pool_liquidity", asset="USDC") == 36_000


def test_a_price_that_is_no_longer_fed_goes_and_its_age_stays_for_a_day() -> None:
    metrics = fold(
        record_of(observed(1.0, change_24h_ratio=0.1, volume_24h=1.0), ts=START_NS),
        record_of(pool(venue="v", symbol="ETH"), ts=START_NS),
    )
    start = START_NS / 1e9
    values = ("tradebot_price", "tradebot_price_change_24h_ratio", "tradebot_market_volume_24h")
    for name in (*values, "tradebot_pool_liquidity"):
        for after, shown in ((MARKET_SECONDS - 1, 1), (MARKET_SECONDS, 0)):
            assert len(samples(metrics, name, start + after)) == shown
    for after, shown in ((AGE_SECONDS - 1, 1), (AGE_SECONDS, 0)):
        assert len(samples(metrics, "tradebot_price_timestamp_seconds", start + after)) == shown
