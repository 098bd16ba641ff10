"""The metrics as text: as prometheus-client would write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch.exposition import OPENMETRICS, TEXT, FamilyCollector, negotiate, render
from deskwatch.journal import Record
from deskwatch.projections.metrics import Counter, Family, Gauge, Histogram
from tests import strategies
from tests.unit.projections.folding import fold

label_values = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ('"', "\\", "\n", '\\"\n', '{a="b"}', " ", "", "\u2028", "#")
)
values = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12)
help_texts = st.sampled_from(("Plain.", 'With "quotes".', "Back\\slash.", "Two\nlines."))


@st.composite
def families(draw: st.DrawFn) -> list[Family[Any]]:
    """Families of all kinds, each with some series."""
    found: list[Family[Any]] = []
    for number in range(draw(st.integers(0, 4))):
        labels = draw(st.sampled_from(((), ("bot",), ("venue", "asset"))))
        series = draw(st.lists(st.tuples(st.tuples(*[label_values] * len(labels)), values), min_size=1, max_size=3))
        name, documentation = f"tradebot_{number}", draw(help_texts)
        counter, gauge = Counter(name, documentation, labels), Gauge(name, documentation, labels)
        histogram = Histogram(name, documentation, labels, (0.1, 1.0, 10.0))
        for key, value in series:
            counter.inc(key, value)
            gauge.set(key, value)
            histogram.observe(key, value)
        found.append(draw(st.sampled_from((counter, gauge, histogram))))
    return found


def registry_of(some: list[Family[Any]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(FamilyCollector(some))
    return registry


@given(some=families())
@settings(max_examples=150)
def test_text_is_what_prometheus_client_writes(some: list[Family[Any]]) -> None:
    assert render(some, TEXT).decode() == generate_latest(registry_of(some)).decode()


@given(some=families())
@settings(max_examples=150)
def test_openmetrics_is_what_prometheus_client_writes(some: list[Family[Any]]) -> None:
    assert render(some, OPENMETRICS).decode() == generate_openmetrics(registry_of(some)).decode()


@given(records=strategies.records())
@settings(max_examples=20)
def test_the_metrics_of_any_events_are_what_prometheus_client_writes(records: list[Record]) -> None:
    metrics = fold(*records)
    metrics.count_folded()
    assert render(metrics.families).decode() == generate_latest(registry_of(metrics.families)).decode()


@given(labels=st.tuples(label_values, label_values), value=values)
def test_both_forms_are_read_back_as_they_were(labels: tuple[str, str], value: float) -> None:
    gauge = Gauge("tradebot_gauge", "A gauge.", ("venue", "asset"))
    gauge.set(labels, value)
    (text,) = parse_text(render([gauge]).decode())
    assert [(one.labels, one.value) for one in text.samples] == [
        ({"venue": labels[0], "asset": labels[1]}, float(value))
    ]
    (openmetrics,) = parse_openmetrics(render([gauge], OPENMETRICS).decode())
    assert [(one.labels, one.value) for one in openmetrics.samples] == [(text.samples[0].labels, float(value))]


def test_families_without_series_are_left_out() -> None:
    empty: list[Family[Any]] = [
        Counter("tradebot_c", "d", ()),
        Gauge("tradebot_g", "d", ()),
        Histogram("tradebot_h", "d", (), (1.0,)),
    ]
    assert render(empty) == b""
    assert render(empty, OPENMETRICS) == b"# EOF\n"
    assert list(FamilyCollector(empty).collect()) == []


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4;q=0.5", TEXT),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", OPENMETRICS),
    ],
)
def test_openmetrics_is_given_to_whoever_asks_for_it(accept: str, content_type: str) -> None:
    assert negotiate(accept) == content_type
