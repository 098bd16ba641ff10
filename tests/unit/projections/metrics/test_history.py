"""Metrics of history: what was told long after it happened."""

from __future__ import annotations

from deskwatch.events import LogRecorded
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

NAME = "tradebot_history_told_timestamp_seconds"
NOW = START_NS / 1e9


def word(age_seconds: float | None) -> LogRecorded:
    happened = None if age_seconds is None else NOW - age_seconds
    return LogRecorded(levelname="WARNING", message="m", name="n", happened_timestamp_seconds=happened)


def test_what_is_told_more_than_five_minutes_after_it_happened_is_history() -> None:
    assert samples(fold(*(record_of(word(age), ts=START_NS) for age in (None, 0.0, 299.0, -1000.0))), NAME) == []
    assert value(fold(record_of(word(301.0), ts=START_NS)), NAME) == NOW
