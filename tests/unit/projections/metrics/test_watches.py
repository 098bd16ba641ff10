"""Metrics of watches: who is watched."""

from __future__ import annotations

from deskwatch.events import WatchStarted, WatchStopped
from tests.unit.projections.folding import fold, samples, value

BEGAN = WatchStarted(source="freqtrade", peer="http://127.0.0.1:8080")


def test_a_bot_is_watched_until_its_source_ceases_in_good_order() -> None:
    metrics = fold(BEGAN)
    assert samples(metrics, "tradebot_watched") == [({"bot": "arb-1", "kind": "freqtrade"}, 1.0)]
    fold(WatchStopped(source="freqtrade", reason="closed"), into=metrics)
    assert value(metrics, "tradebot_watched") == 0
