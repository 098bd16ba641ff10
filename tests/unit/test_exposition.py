"""The metrics as text: as prometheus-client would write them."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch.exposition import OPENMETRICS, SLICE_SERIES, TEXT, FamilyCollector, pieces, render
from deskwatch.journal import Record
from deskwatch.projections.metrics import Counter, Family, Gauge, Histogram, readings
from deskwatch.projections.metrics.guard import Guard
from tests import strategies
from tests.unit.projections.folding import fold

NOW = 1_700_000_000.0
TRACES = ("0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736", None)
label_values = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ('"', "\\", "\n", '\\"\n', '{a="b"}', " ", "", "\u2028", "#", "\0", "} 1 # {")
)
values = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12)
help_texts = st.sampled_from(("Plain.", 'With "quotes".', "Back\\slash.", "Two\nlines."))


@st.composite
def families(draw: st.DrawFn) -> list[Family[Any]]:
    """Families of all kinds, each with some series."""
    found: list[Family[Any]] = []
    for number in range(draw(st.integers(0, 4))):
        labels = draw(st.sampled_from(((), ("bot",), ("venue", "asset"), ("bot", "kind", "zone"))))
        series = draw(st.lists(st.tuples(st.tuples(*[label_values] * len(labels)), values), min_size=1, max_size=3))
        unit = draw(st.sampled_from(("", "_seconds", "_ratio")))
        name, documentation = f"tradebot_{number}{unit}", draw(help_texts)
        counter, gauge = Counter(name, documentation, labels), Gauge(name, documentation, labels)
        histogram = Histogram(name, documentation, labels, (0.1, 1.0, 10.0), guard_of_now())
        for key, value in series:
            counter.inc(key, value)
            gauge.set(key, value)
            histogram.observe(key, value, draw(st.sampled_from(TRACES)))
        found.append(draw(st.sampled_from((counter, gauge, histogram))))
    return found


def guard_of_now() -> Guard:
    guard = Guard()
    guard.begin("arb-1", NOW)
    return guard


def registry_of(some: list[Family[Any]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(FamilyCollector(lambda: some, lambda: NOW))
    return registry


def shown(some: list[Family[Any]], content_type: str = TEXT) -> str:
    return render(readings(some, NOW), content_type).decode()


@given(some=families())
@settings(max_examples=150)
def test_text_is_what_prometheus_client_writes(some: list[Family[Any]]) -> None:
    assert shown(some) == generate_latest(registry_of(some)).decode()


@given(some=families())
@settings(max_examples=150)
def test_openmetrics_is_what_prometheus_client_writes(some: list[Family[Any]]) -> None:
    assert shown(some, OPENMETRICS) == generate_openmetrics(registry_of(some)).decode()


@given(some=families(), more=st.lists(values, max_size=4), form=st.sampled_from((TEXT, OPENMETRICS)))
def test_what_was_shown_before_changes_nothing(some: list[Family[Any]], more: list[float], form: str) -> None:
    """Texts are kept between scrapes: a scrape after others, in whatever form, is as a first one would be."""
    for value in more:
        shown(some, form)
        for family in some:
            for labels in list(family.cells):
                if isinstance(family, Gauge):
                    family.set(labels, value)
                elif isinstance(family, Histogram):
                    family.observe(labels, value, TRACES[0])
        for each in (OPENMETRICS, TEXT):
            fresh = generate_openmetrics if each == OPENMETRICS else generate_latest
            assert shown(some, each) == fresh(registry_of(some)).decode()


@given(some=families())
def test_pieces_of_a_scrape_are_the_scrape_and_each_is_small(some: list[Family[Any]]) -> None:
    found = list(pieces(readings(some, NOW), OPENMETRICS))
    assert b"".join(found).decode() == shown(some, OPENMETRICS)
    assert all(piece.count(b"\n") <= SLICE_SERIES for piece in found)


def test_a_large_family_comes_in_many_pieces() -> None:
    guard = Guard(max_series=10_000)
    counter = Counter("tradebot_c", "C.", ("l",), guard)
    histogram = Histogram("tradebot_h", "H.", ("l",), (1.0, 2.0), guard)
    for number in range(2000):
        counter.inc((str(number),))
        histogram.observe((str(number),), 1)
    found = list(pieces(readings([counter, histogram], NOW)))
    assert max(piece.count(b"\n") for piece in found) <= SLICE_SERIES
    assert b"".join(found).count(b"\n") == 4 + 2000 + 2000 * 5


@given(records=strategies.records())
@settings(max_examples=20)
def test_the_metrics_of_any_events_are_what_prometheus_client_writes(records: list[Record]) -> None:
    metrics = fold(*records)
    some = metrics.current()
    assert shown(some) == generate_latest(registry_of(some)).decode()
    assert shown(some, OPENMETRICS) == generate_openmetrics(registry_of(some)).decode()


@given(labels=st.tuples(label_values, label_values), value=values)
def test_both_forms_are_read_back_as_they_were(labels: tuple[str, str], value: float) -> None:
    gauge = Gauge("tradebot_gauge", "A gauge.", ("venue", "asset"))
    gauge.set(labels, value)
    (text,) = parse_text(shown([gauge]))
    assert [(one.labels, one.value) for one in text.samples] == [
        ({"venue": labels[0], "asset": labels[1]}, float(value))
    ]
    (openmetrics,) = parse_openmetrics(shown([gauge], OPENMETRICS))
    assert [(one.labels, one.value) for one in openmetrics.samples] == [(text.samples[0].labels, float(value))]


def test_families_without_series_are_left_out() -> None:
    empty: list[Family[Any]] = [
        Counter("tradebot_c", "d", ()),
        Gauge("tradebot_g", "d", ()),
        Histogram("tradebot_h", "d", (), (1.0,)),
    ]
    assert shown(empty) == ""
    assert shown(empty, OPENMETRICS) == "# EOF\n"
    assert list(FamilyCollector(lambda: empty).collect()) == []
