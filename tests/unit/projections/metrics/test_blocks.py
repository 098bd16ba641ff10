"""Metrics of blocks and gas prices."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import BlockObserved, GasPriceObserved
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

START = START_NS / 1e9


def block(**more: Any) -> BlockObserved:
    return BlockObserved(**{"chain": "local", "block": 12, "block_timestamp_seconds": 1.0, **more})


def refused(metrics: Any, reason: str) -> float | None:
    return value(metrics, "deskwatch_refused_values_total", reason=reason)


def test_gas_prices_are_shown_as_numbers() -> None:
    metrics = fold(GasPriceObserved(chain="local", gas_price_wei="1500000000", base_fee_wei="7"))
    assert value(metrics, "tradebot_gas_price_wei", chain="local") == 1.5e9
    assert value(metrics, "tradebot_base_fee_wei", chain="local") == 7
    assert samples(metrics, "tradebot_priority_fee_wei") == []


@pytest.mark.parametrize("text", ["much", "", "1_000", "1e9", " 7", "nan", "\u0663", "1" * 79, "1" * 60_000])
def test_wei_that_are_no_number_are_refused(text: str) -> None:
    metrics = fold(GasPriceObserved(chain="local", gas_price_wei=text))
    assert samples(metrics, "tradebot_gas_price_wei") == []
    assert refused(metrics, "not_a_number") == 1


def test_negative_wei_are_refused() -> None:
    assert refused(fold(GasPriceObserved(chain="local", gas_price_wei="-1")), "negative") == 1


def test_the_head_its_own_time_and_when_it_was_seen_are_shown() -> None:
    metrics = fold(record_of(block(), ts=START_NS))
    assert value(metrics, "tradebot_head_block", chain="local") == 12
    assert value(metrics, "tradebot_head_block_timestamp_seconds", chain="local") == 1
    assert value(metrics, "tradebot_head_block_seen_timestamp_seconds", chain="local") == START


def test_how_full_the_head_is_is_shown() -> None:
    metrics = fold(block(transactions=3, gas_used=7_500_000, gas_limit=30_000_000))
    assert value(metrics, "tradebot_head_block_fullness_ratio") == 0.25
    assert value(metrics, "tradebot_head_block_transactions") == 3


@pytest.mark.parametrize("gas", [{"gas_used": 1}, {"gas_used": 1, "gas_limit": 0}, {"gas_limit": 5}])
def test_a_block_without_a_limit_or_its_gas_is_not_full(gas: dict[str, int]) -> None:
    assert samples(fold(block(**gas)), "tradebot_head_block_fullness_ratio") == []


def test_a_block_fuller_than_full_is_refused() -> None:
    metrics = fold(block(gas_used=3, gas_limit=2))
    assert samples(metrics, "tradebot_head_block_fullness_ratio") == []
    assert refused(metrics, "out_of_range") == 1


def test_what_is_no_longer_fed_goes_and_its_age_stays_for_a_day() -> None:
    metrics = fold(
        record_of(GasPriceObserved(chain="local", gas_price_wei="5"), ts=START_NS),
        record_of(block(gas_used=1, gas_limit=2), ts=START_NS),
    )
    values = ("tradebot_gas_price_wei", "tradebot_head_block_fullness_ratio")
    ages = ("tradebot_gas_price_timestamp_seconds", "tradebot_head_block_seen_timestamp_seconds", "tradebot_head_block")
    for after, shown in ((MARKET_SECONDS - 1, 1), (MARKET_SECONDS, 0)):
        assert [len(samples(metrics, name, START + after)) for name in values] == [shown, shown]
    for after, shown in ((AGE_SECONDS - 1, 1), (AGE_SECONDS, 0)):
        assert [len(samples(metrics, name, START + after)) for name in ages] == [shown] * 3
