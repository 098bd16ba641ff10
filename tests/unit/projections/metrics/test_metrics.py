"""All metrics together: names, labels, checkpoints."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from deskwatch.exposition import OPENMETRICS, TEXT, render
from deskwatch.journal import Record, read
from deskwatch.projections.metrics import Counter, Histogram, Metrics
from deskwatch.projections.metrics.guard import MAX_SERIES
from deskwatch.projections.metrics.label import OTHER
from tests import strategies
from tests.unit.projections.folding import fold, samples, value

LABELS = {
    *("bot", "strategy", "venue", "symbol", "side", "asset", "chain", "provider", "kind", "reason", "mode"),
    *("writer", "type", "component", "version"),
}
"""As the design names them; then the journal's own, where an error or a pool is, and the bot's version."""


def exposed(metrics: Metrics) -> bytes:
    return render(metrics.readings(0))


def test_names_labels_and_words_keep_to_the_conventions() -> None:
    for family in Metrics().families:
        assert re.fullmatch(r"(tradebot|deskwatch)_[a-z0-9]+(_[a-z0-9]+)*", family.name)
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert family.name.endswith("_info") is (family.name == "tradebot_info")  # a gauge of that name is 1
        assert set(family.labels) <= LABELS
        assert len(set(family.labels)) == len(family.labels)
        assert family.documentation.endswith(".")
        if family.name.startswith("tradebot_"):
            assert family.labels[0] == "bot"
        if isinstance(family, Histogram):
            assert family.unit in ("seconds", "ratio")
            assert list(family.buckets) == sorted(family.buckets)


def test_every_name_is_declared_once() -> None:
    names = [family.name for family in Metrics().families]
    assert len(set(names)) == len(names)


def test_the_names_that_others_rely_on_are_there() -> None:
    names = {family.name for family in Metrics().families if isinstance(family, Counter)}
    assert names >= {
        "tradebot_orders_submitted",
        "tradebot_orders_filled",
        "tradebot_orders_failed",
        "tradebot_fills",
        "deskwatch_events",
        "deskwatch_invalid_lines",
        "deskwatch_series_folded",
    }


@given(records=strategies.records())
def test_every_record_counts_once_and_no_counter_is_negative_or_no_number(records: list[Record]) -> None:
    metrics = Metrics()
    before: dict[tuple[str, tuple[str, ...]], float] = {}
    for record in records:
        metrics.apply(record)
        for family in metrics.families:
            if isinstance(family, Counter):
                for labels, one in family.series.items():
                    assert one >= before.get((family.name, labels), 0.0)
                    before[family.name, labels] = one
    counted = sum(one for (name, _), one in before.items() if name == "deskwatch_events")
    assert counted == len(records)


@given(records=strategies.records(), cut=st.integers(0, 20))
def test_a_checkpoint_in_between_changes_nothing(records: list[Record], cut: int) -> None:
    whole, first, second = fold(*records), fold(*records[:cut]), Metrics()
    second.load(json.loads(json.dumps(first.dump())))
    assert exposed(second) == exposed(first)
    fold(*records[cut:], into=second)
    assert exposed(second) == exposed(whole)


@given(records=strategies.records())
@settings(max_examples=25)
def test_what_is_exposed_can_be_read(records: list[Record]) -> None:
    metrics = fold(*records)
    assert sum(one for _, one in samples(metrics, "deskwatch_events_total")) == len(records)
    list(parse_openmetrics(render(metrics.readings(0), OPENMETRICS).decode()))
    assert render(metrics.readings(0), TEXT) == exposed(metrics)


def test_too_many_label_sets_are_folded_and_said_so() -> None:
    metrics = Metrics()
    for number in range(MAX_SERIES + 5):
        line = b'{"type":"type_%d","ts":1}' % number
        metrics.apply(read(line, "arb-1", "main"))
    assert value(metrics, "deskwatch_events_total", type=OTHER) == 5
    assert value(metrics, "deskwatch_series_folded_total", kind="deskwatch_events") == 5
    again = Metrics()
    again.load(json.loads(json.dumps(metrics.dump())))
    assert value(again, "deskwatch_series_folded_total", kind="deskwatch_events") == 5


def test_invalid_lines_are_counted_by_reason() -> None:
    metrics = Metrics()
    metrics.invalid("arb-1", "main", "crc")
    assert value(metrics, "deskwatch_invalid_lines_total", bot="arb-1", writer="main", reason="crc") == 1


def test_a_checkpoint_without_a_family_starts_it_empty() -> None:
    metrics = Metrics()
    metrics.load({"families": {}, "memory": {}})
    assert exposed(metrics) == b""
