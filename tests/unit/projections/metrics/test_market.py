"""Metrics of prices and pools."""

from __future__ import annotations

from deskwatch.events import FundingRateObserved, PoolObserved, PriceObserved
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, value


def test_the_newest_price_and_its_time_are_shown() -> None:
    metrics = fold(
        PriceObserved(venue="v", symbol="ETH", price=1.0),
        record_of(PriceObserved(venue="v", symbol="ETH", price=1800.5), ts=START_NS),
    )
    assert value(metrics, "tradebot_price", venue="v", symbol="ETH") == 1800.5
    assert value(metrics, "tradebot_price_timestamp_seconds", venue="v") == START_NS / 1e9


def test_a_pool_gives_a_price_its_reserves_and_its_liquidity() -> None:
    metrics = fold(
        PoolObserved(
            venue="pool-a",
            symbol="WETH/USDC",
            chain="local",
            contract="0xab",
            base_reserve=10.0,
            quote_reserve=18_000.0,
            base_asset="WETH",
            quote_asset="USDC",
            price=1800.0,
            liquidity=36_000.0,
        )
    )
    assert value(metrics, "tradebot_price", venue="pool-a", symbol="WETH/USDC") == 1800
    assert value(metrics, "tradebot_pool_reserve", asset="WETH") == 10
    assert value(metrics, "tradebot_pool_reserve", asset="USDC") == 18_000
    assert value(metrics, "tradebot_pool_liquidity", asset="USDC") == 36_000


def test_the_funding_rate_is_shown() -> None:
    metrics = fold(FundingRateObserved(venue="v", symbol="ETH-PERP", rate=-0.0001))
    assert value(metrics, "tradebot_funding_rate_ratio", symbol="ETH-PERP") == -0.0001
