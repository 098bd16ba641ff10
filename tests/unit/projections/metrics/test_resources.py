"""Metrics of pools inside the bot."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import PoolUsageObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics import resources as resources_module
from deskwatch.projections.metrics.lifetimes import MARKET_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def usage(pool: str = "quotes", run: bytes = b"a", writer: str = "main", **more: Any) -> Record:
    event = PoolUsageObserved(**{"pool": pool, "resource": "cache", "used": 3.0, **more})
    return record_of(event, run=run, writer=writer, ts=START_NS)


def test_a_pool_shows_what_is_used_of_its_capacity_by_name_and_kind() -> None:
    metrics = fold(usage(capacity=10.0), usage("http", resource="connection", used=2.0))
    assert value(metrics, "tradebot_resource_used", component="quotes", kind="cache") == 3
    assert value(metrics, "tradebot_resource_capacity", component="quotes", kind="cache") == 10
    assert value(metrics, "tradebot_resource_used", component="http", kind="connection") == 2
    assert value(metrics, "tradebot_resource_timestamp_seconds", component="http") == START_NS / 1e9


def test_hits_and_misses_are_counted_across_restarts_of_the_bot() -> None:
    metrics = fold(usage(hits=5, misses=1), usage(hits=8, misses=1), usage(hits=2, misses=0, run=b"b"))
    assert value(metrics, "tradebot_resource_hits_total", component="quotes") == 10
    assert value(metrics, "tradebot_resource_misses_total", component="quotes") == 1


def test_a_cache_that_was_made_anew_counts_on() -> None:
    assert value(fold(usage(hits=5), usage(hits=2), usage(hits=4)), "tradebot_resource_hits_total") == 9


def test_pools_of_one_name_in_several_processes_add_up() -> None:
    metrics = fold(usage(hits=5), usage(hits=7, writer="feeder"), usage(hits=6), usage(hits=8, writer="feeder"))
    assert value(metrics, "tradebot_resource_hits_total") == 14


def test_figures_below_zero_are_refused() -> None:
    metrics = fold(usage(used=-1.0, capacity=-1.0, hits=-1, misses=-1))
    assert samples(metrics, "tradebot_resource_used") == samples(metrics, "tradebot_resource_hits_total") == []
    assert sum(one for _, one in samples(metrics, "deskwatch_refused_values_total")) == 4


def test_a_pool_that_is_no_longer_fed_goes() -> None:
    metrics = fold(usage(capacity=10.0))
    for name in ("tradebot_resource_used", "tradebot_resource_capacity"):
        for after, shown in ((MARKET_SECONDS - 1, 1), (MARKET_SECONDS, 0)):
            assert len(samples(metrics, name, START_NS / 1e9 + after)) == shown


def test_pools_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources_module, "MAX_POOLS", 1)
    metrics = fold(*(usage(str(number), hits=1, misses=1) for number in range(5)))
    assert [len(group) for group in metrics.dump()["memory"]["Resources"].values()] == [2]
