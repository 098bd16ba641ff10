"""Metrics of funding."""

from __future__ import annotations

from typing import Any

from deskwatch.events import FundingPaid, FundingRateObserved
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, FUNDING_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def rate(ratio: float | None, **more: Any) -> FundingRateObserved:
    return FundingRateObserved(venue="v", symbol="ETH-PERP", rate=ratio, **more)


def test_the_funding_rate_is_shown_with_its_interval_and_the_next_payment() -> None:
    observed = rate(-0.0001, interval_seconds=28_800.0, next_funding_timestamp_seconds=1.7e9)
    metrics = fold(record_of(observed, ts=START_NS))
    assert value(metrics, "tradebot_funding_rate_ratio", symbol="ETH-PERP") == -0.0001
    assert value(metrics, "tradebot_funding_interval_seconds") == 28_800
    assert value(metrics, "tradebot_next_funding_timestamp_seconds") == 1.7e9
    assert value(metrics, "tradebot_funding_rate_timestamp_seconds") == START_NS / 1e9


def test_a_rate_beyond_all_of_it_is_refused_and_makes_nothing_newer() -> None:
    metrics = fold(rate(1.5), rate(None))
    assert samples(metrics, "tradebot_funding_rate_ratio") == []
    assert samples(metrics, "tradebot_funding_rate_timestamp_seconds") == []
    assert value(metrics, "deskwatch_refused_values_total", reason="out_of_range") == 1


def test_a_rate_outlives_its_interval_and_not_by_much() -> None:
    metrics = fold(record_of(rate(0.1), ts=START_NS))
    start = START_NS / 1e9
    for after, shown in ((8 * 3600, 1), (FUNDING_SECONDS, 0)):
        assert len(samples(metrics, "tradebot_funding_rate_ratio", start + after)) == shown
    for after, shown in ((AGE_SECONDS - 1, 1), (AGE_SECONDS, 0)):
        assert len(samples(metrics, "tradebot_funding_rate_timestamp_seconds", start + after)) == shown


def test_funding_goes_both_ways() -> None:
    metrics = fold(*(FundingPaid(venue="v", symbol="ETH", amount=amount, asset="USDT") for amount in (2, -5, None)))
    assert value(metrics, "tradebot_funding_received_total", asset="USDT") == 2
    assert value(metrics, "tradebot_funding_paid_total", asset="USDT") == 5
