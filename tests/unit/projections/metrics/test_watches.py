"""Metrics of watches: who is watched."""

from __future__ import annotations

from deskwatch.events import WatchStarted, WatchStopped
from tests.lines import record_of
from tests.unit.projections.folding import fold, samples, value

BEGAN = WatchStarted(source="freqtrade", peer="http://127.0.0.1:8080")


def test_a_bot_is_watched_until_its_source_ceases_in_good_order() -> None:
    metrics = fold(BEGAN)
    assert samples(metrics, "tradebot_watched") == [({"bot": "arb-1", "kind": "freqtrade"}, 1.0)]
    fold(WatchStopped(source="freqtrade", reason="closed"), into=metrics)
    assert value(metrics, "tradebot_watched") == 0


def test_a_bot_is_watched_until_the_last_source_of_a_kind_ceases() -> None:
    """One for each chain that it is on, say."""
    began, ended = WatchStarted(source="evm", peer="c"), WatchStopped(source="evm", reason="closed")
    metrics = fold(record_of(began, writer="eth"), record_of(began, writer="base"), record_of(ended, writer="eth"))
    assert value(metrics, "tradebot_watched") == 1
    assert value(fold(record_of(ended, writer="base"), into=metrics), "tradebot_watched") == 0


def test_a_source_that_was_killed_watches_no_more_once_another_kind_has_its_place() -> None:
    """It could not say that it stopped; a writer watches by one kind at a time."""
    metrics = fold(WatchStarted(source="evm", peer="c"), BEGAN)
    assert samples(metrics, "tradebot_watched") == [
        ({"bot": "arb-1", "kind": "evm"}, 0.0),
        ({"bot": "arb-1", "kind": "freqtrade"}, 1.0),
    ]
