"""Metrics of watches: who is watched, and when history was told."""

from __future__ import annotations

from deskwatch.events import LogRecorded, WatchStarted, WatchStopped
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

BEGAN = WatchStarted(source="freqtrade", peer="http://127.0.0.1:8080")
NOW = START_NS / 1e9


def word(age_seconds: float | None) -> LogRecorded:
    happened = None if age_seconds is None else NOW - age_seconds
    return LogRecorded(levelname="WARNING", message="m", name="n", happened_timestamp_seconds=happened)


def test_a_bot_is_watched_until_its_source_ceases_in_good_order() -> None:
    metrics = fold(BEGAN)
    assert samples(metrics, "tradebot_watched") == [({"bot": "arb-1", "kind": "freqtrade"}, 1.0)]
    fold(WatchStopped(source="freqtrade", reason="closed"), into=metrics)
    assert value(metrics, "tradebot_watched") == 0


def test_what_is_told_more_than_a_minute_after_it_happened_is_history() -> None:
    name = "tradebot_history_told_timestamp_seconds"
    assert samples(fold(*(record_of(word(age), ts=START_NS) for age in (None, 0.0, 59.0, -100.0))), name) == []
    assert value(fold(record_of(word(61.0), ts=START_NS)), name) == NOW
