"""All metrics together: names, labels, checkpoints."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from deskwatch.events import (
    EVENTS,
    CommandAccepted,
    DecisionMade,
    Event,
    OpportunityFound,
    OrderSubmitted,
    PositionOpened,
    TransactionSent,
)
from deskwatch.exposition import OPENMETRICS, TEXT, render
from deskwatch.journal import Record, read
from deskwatch.projections.metrics import Counter, Gauge, Histogram, Metrics
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


anything = strategies.records(events=strategies.any_event | strategies.hostile_event, times=strategies.anywhen)
"""Sound and faulty bots' records."""


@given(records=anything)
@settings(max_examples=300)
def test_whatever_an_event_holds_it_is_folded_and_what_is_shown_can_be_read(records: list[Record]) -> None:
    metrics = fold(*records)
    assert sum(metrics.event_counts().values()) == len(records)
    for family in metrics.families:
        for series in family.series.values():
            figures = series if isinstance(series, list) else [series]
            assert all(map(math.isfinite, figures))
            assert isinstance(family, Gauge) or min(figures) >= 0
    parsed = text_string_to_metric_families(exposed(metrics).decode())
    shown = sum(len(family.samples) for family in parsed)
    lines = [line for line in exposed(metrics).decode().split("\n") if line and not line.startswith("#")]
    assert shown == len(lines)


@pytest.mark.parametrize("cls", EVENTS.values(), ids=EVENTS)
@given(data=st.data())
@settings(max_examples=30)
def test_handlers_of_every_event_take_whatever_it_holds(cls: type[Event], data: st.DataObject) -> None:
    event = strategies.events_of(cls, strategies.HOSTILE)
    some = data.draw(strategies.records(events=event, times=strategies.anywhen, max_size=5))
    assert len(fold(*some).event_counts()) <= len(some)


def test_ids_as_long_as_a_line_are_not_remembered_whole() -> None:
    long = "x" * 60_000
    metrics = fold(
        OrderSubmitted(order_id=long, venue="v", symbol="s", side="buy", quantity=1.0),
        PositionOpened(
            position_id=long, venue="v", symbol="s", side="long", quantity=1.0, entry_price=1.0, asset="USDT"
        ),
        TransactionSent(chain="c", transaction=long, sender="s", nonce=1),
        TransactionSent(chain="c", transaction="t", sender=long, nonce=1),
        CommandAccepted(command_id=long, command="ping", params={}, actor="a", expires_ts=1),
        OpportunityFound(
            opportunity_id=long, strategy="s", symbol="s", spread_ratio=0.1, expected_profit=1.0, asset="USDT"
        ),
        DecisionMade(decision_id=long, action="a", provider="p", cause="x" * 128),
    )
    assert len(json.dumps(metrics.dump())) < 50_000


@given(records=anything, cut=st.integers(0, 20))
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
