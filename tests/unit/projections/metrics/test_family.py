"""Families: their values and their limits."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.projections.metrics.family import MAX_LABEL_LENGTH, OTHER, Counter, Gauge, Histogram, Labels, label

amounts = st.floats() | st.integers(-(10**6), 10**6) | st.none()


@given(added=st.lists(amounts))
def test_a_counter_never_falls_and_is_always_a_number(added: list[Any]) -> None:
    counter = Counter("c", "d", ("l",))
    before = 0.0
    for amount in added:
        counter.inc(("x",), amount)
        now = counter.series.get(("x",), 0.0)
        assert before <= now < math.inf
        before = now


@given(seen=st.lists(amounts))
def test_a_histogram_counts_what_is_finite_and_its_sum_is_a_number(seen: list[Any]) -> None:
    histogram = Histogram("h", "d", (), (0.1, 1.0))
    for value in seen:
        histogram.observe((), value)
    finite = [value for value in seen if value is not None and math.isfinite(value)]
    series = histogram.series.get((), [0.0] * 4)
    assert sum(series[:-1]) == len(finite)
    assert series[0] == sum(value <= 0.1 for value in finite)
    assert 0 <= series[-1] < math.inf


@given(seen=st.lists(amounts))
def test_a_gauge_shows_the_last_finite_value(seen: list[Any]) -> None:
    gauge = Gauge("g", "d", ())
    for value in seen:
        gauge.set((), value)
    finite = [value for value in seen if value is not None and math.isfinite(value)]
    assert gauge.series == ({(): finite[-1]} if finite else {})


def test_a_gauge_can_be_forgotten() -> None:
    gauge = Gauge("g", "d", ("l",))
    gauge.set(("x",), 1.0)
    gauge.remove(("x",))
    gauge.remove(("x",))
    assert gauge.series == {}


def test_beyond_the_cap_counters_and_histograms_fold_and_gauges_are_left_out() -> None:
    counter, gauge = Counter("c", "d", ("l", "m"), 2), Gauge("g", "d", ("l", "m"), 2)
    histogram = Histogram("h", "d", ("l", "m"), (1.0,), 2)
    for number in range(5):
        counter.inc((str(number), ""), 2)
        gauge.set((str(number), ""), 2)
        histogram.observe((str(number), ""), 2)
    counter.inc(("0", ""), 1)
    gauge.set(("1", ""), 7)
    assert counter.series == {("0", ""): 3, ("1", ""): 2, (OTHER, OTHER): 6}
    assert gauge.series == {("0", ""): 2, ("1", ""): 7}
    assert histogram.series == {("0", ""): [0, 1, 2], ("1", ""): [0, 1, 2], (OTHER, OTHER): [0, 3, 6]}
    assert (counter.folded, gauge.folded, histogram.folded) == (3, 3, 3)


@given(st.dictionaries(st.tuples(st.text(), st.text()), st.floats(0, 1e300)))
def test_a_family_comes_back_from_json(series: dict[Labels, float]) -> None:
    family, again = Gauge("g", "d", ("l", "m")), Gauge("g", "d", ("l", "m"))
    family.series = series
    again.load(json.loads(json.dumps(family.dump())))
    assert again.series == series


@pytest.mark.parametrize(("text", "shown"), [(None, ""), ("", ""), ("a", "a"), ("é" * 500, "é" * MAX_LABEL_LENGTH)])
def test_a_labels_value_is_bounded(text: str | None, shown: str) -> None:
    assert label(text) == shown
