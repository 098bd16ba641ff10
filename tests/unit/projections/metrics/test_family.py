"""Families: their values and their limits."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.projections.metrics.family import MAX_AMOUNT, Counter, Exemplar, Family, Gauge, Histogram
from deskwatch.projections.metrics.guard import IDLE_SECONDS, SCAN_SECONDS, Guard
from deskwatch.projections.metrics.label import MAX_LABEL_LENGTH, OTHER, Labels, label

NOW = 1_700_000_000.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
amounts = st.floats() | st.integers(-(10**25), 10**25) | st.none()


def guard_at(seconds: float = NOW, max_series: int = 2) -> Guard:
    guard = Guard(max_series)
    guard.begin("arb-1", seconds)
    return guard


def is_amount(value: Any) -> bool:
    return value is not None and 0 <= value < MAX_AMOUNT


@given(added=st.lists(amounts))
def test_a_counter_never_falls_is_always_a_number_and_counts_what_it_refuses(added: list[Any]) -> None:
    guard = Guard()
    counter = Counter("c", "d", ("l",), guard)
    before = 0.0
    for amount in added:
        counter.inc(("x",), amount)
        now = counter.get(("x",))
        assert before <= now < math.inf
        before = now
    assert guard.refused.total() == sum(amount is not None and not is_amount(amount) for amount in added)


@given(seen=st.lists(amounts))
def test_a_histogram_counts_what_is_an_amount_and_its_sum_is_a_number(seen: list[Any]) -> None:
    guard = Guard()
    histogram = Histogram("h", "d", (), (0.1, 1.0), guard)
    for value in seen:
        histogram.observe((), value)
    taken = [value for value in seen if is_amount(value)]
    series = histogram.series.get((), [0.0] * 4)
    assert sum(series[:-1]) == len(taken)
    assert series[0] == sum(value <= 0.1 for value in taken)
    assert 0 <= series[-1] < math.inf
    assert guard.refused.total() == sum(value is not None and not is_amount(value) for value in seen)


@given(seen=st.lists(amounts))
def test_a_gauge_shows_the_last_finite_value(seen: list[Any]) -> None:
    gauge = Gauge("g", "d", ())
    for value in seen:
        gauge.set((), value)
    finite = [value for value in seen if value is not None and math.isfinite(value)]
    assert gauge.series == ({(): finite[-1]} if finite else {})


@pytest.mark.parametrize(
    ("value", "reason"),
    [(-1.0, "negative"), (math.nan, "not_finite"), (math.inf, "not_finite"), (2.0**63, "too_large")],
)
def test_what_a_counter_refuses_is_counted_with_its_reason(value: float, reason: str) -> None:
    guard = Guard()
    Counter("c", "d", ("bot",), guard).inc(("arb-1",), value)
    Histogram("h", "d", ("bot",), (1.0,), guard).observe(("arb-1",), value)
    assert guard.refused == {("arb-1", "c", reason): 1, ("arb-1", "h", reason): 1}


@pytest.mark.parametrize(
    ("value", "refused"),
    [(0, None), (1, None), (None, None), (-0.01, "out_of_range"), (1.01, "out_of_range"), (math.nan, "not_finite")],
)
def test_a_ratio_is_from_0_to_1(value: float | None, refused: str | None) -> None:
    guard = Guard()
    gauge = Gauge("g", "d", ("bot",), guard)
    gauge.set_ratio(("arb-1",), value)
    assert guard.refused == ({("arb-1", "g", refused): 1} if refused else {})
    assert gauge.series == ({} if refused or value is None else {("arb-1",): value})


def test_a_time_is_the_records_own_unless_that_is_absurd() -> None:
    guard = guard_at()
    gauge = Gauge("g", "d", ("bot",), guard)
    gauge.set_time(("arb-1",))
    for absurd in (0.0, -1e18, 1e18, 4_200_000_000.0, math.nan):
        guard.begin("arb-1", absurd)
        gauge.set_time(("arb-1",))
    assert gauge.series == {("arb-1",): NOW}
    assert guard.refused == {("arb-1", "ts", "absurd"): 5}


def test_a_gauge_can_be_forgotten() -> None:
    gauge = Gauge("g", "d", ("l",), guard_at(max_series=1))
    for _ in range(3):
        gauge.set(("x",), 1.0)
        gauge.remove(("x",))
        gauge.remove(("x",))
    gauge.set(("y",), 2.0)
    assert gauge.series == {("y",): 2.0}


def test_beyond_the_cap_counters_and_histograms_fold_and_gauges_are_left_out() -> None:
    guard = guard_at()
    counter, gauge = Counter("c", "d", ("l", "m"), guard), Gauge("g", "d", ("l", "m"), guard)
    histogram = Histogram("h", "d", ("l", "m"), (1.0,), guard)
    for number in range(5):
        counter.inc((str(number), ""), 2)
        gauge.set((str(number), ""), 2)
        histogram.observe((str(number), ""), 2)
    counter.inc(("0", ""), 1)
    gauge.set(("1", ""), 7)
    assert counter.series == {("0", ""): 3, ("1", ""): 2, (OTHER, OTHER): 6}
    assert gauge.series == {("0", ""): 2, ("1", ""): 7}
    assert histogram.series == {("0", ""): [0, 1, 2], ("1", ""): [0, 1, 2], (OTHER, OTHER): [0, 3, 6]}
    assert guard.folded == {"c": 3, "g": 3, "h": 3}


def test_one_bot_that_fills_a_family_takes_no_room_from_another() -> None:
    counter = Counter("c", "d", ("bot", "l"), guard_at())
    for number in range(5):
        counter.inc(("mad", str(number)))
    counter.inc(("sane", "x"))
    assert counter.series == {("mad", "0"): 1, ("mad", "1"): 1, ("mad", OTHER): 3, ("sane", "x"): 1}


def test_label_sets_that_were_idle_for_long_make_room() -> None:
    guard = guard_at()
    counter = Counter("c", "d", ("bot", "l"), guard)
    counter.inc(("b", "old"))
    guard.begin("b", NOW + IDLE_SECONDS - 1)
    counter.inc(("b", "young"))
    counter.inc(("b", "folded"))
    guard.begin("b", NOW + IDLE_SECONDS + SCAN_SECONDS)
    counter.inc(("b", "new"))
    assert counter.series == {("b", "young"): 1, ("b", OTHER): 1, ("b", "new"): 1}
    assert (guard.folded, guard.evicted) == ({"c": 1}, {"c": 1})


def test_room_is_made_without_a_look_at_the_label_sets_of_other_bots() -> None:
    """There may be a hundred thousand of them, and a bot whose clock leaps makes room at each event."""
    guard = guard_at(max_series=1)
    counter = Counter("c", "d", ("bot", "l"), guard)
    counter.inc(("b", "old"))
    counter.inc(("other", "old"))
    counter.cells["other", "old"] = None  # type: ignore[assignment]  # fails where it is looked at
    guard.begin("b", NOW + IDLE_SECONDS + 1)
    counter.inc(("b", "new"))
    assert list(counter.cells) == [("other", "old"), ("b", "new")]
    assert counter.held() == {"b": 1, "other": 1}


def test_figures_that_must_reconcile_are_never_evicted() -> None:
    guard = guard_at(max_series=1)
    counter = Counter("c", "d", ("bot", "l"), guard)
    counter.reconciles = True
    counter.inc(("b", "old"))
    guard.begin("b", NOW + 10 * IDLE_SECONDS)
    counter.inc(("b", "new"))
    assert counter.series == {("b", "old"): 1, ("b", OTHER): 1}


def test_a_checkpoint_does_not_make_overflow_permanent() -> None:
    guard = guard_at()
    gauge = Gauge("g", "d", ("bot", "l"), guard)
    for number in range(3):
        gauge.set(("b", str(number)), number)
    later = guard_at(NOW + IDLE_SECONDS + 1)
    again = Gauge("g", "d", ("bot", "l"), later)
    again.load(json.loads(json.dumps(gauge.dump())))
    again.set(("b", "2"), 2)
    assert again.series == {("b", "2"): 2}


@given(numbers=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000)), max_size=60))
def test_a_family_never_holds_more_than_its_cap(numbers: list[tuple[int, int]]) -> None:
    guard = guard_at(max_series=3)
    families: tuple[Any, ...] = (Counter("c", "d", ("bot", "l"), guard), Gauge("g", "d", ("bot", "l"), guard))
    seconds = NOW
    for number, passed in numbers:
        seconds += passed
        guard.begin("b", seconds)
        families[0].inc(("b", str(number)))
        families[1].set(("b", str(number)), number)
        for family in families:
            assert sum(OTHER not in labels for labels in family.series) <= 3
    assert sum(families[0].series.values()) <= len(numbers)


def test_a_gauge_with_a_lifetime_is_shown_until_it_is_too_old_and_again_when_fed() -> None:
    guard = guard_at()
    gauge = Gauge("g", "d", ("bot",), guard, lifetime=60)
    gauge.set(("arb-1",), 1)
    assert gauge.read(NOW + 59).series == {("arb-1",): 1}
    assert gauge.read(NOW + 60).series == {}
    again = Gauge("g", "d", ("bot",), guard, lifetime=60)
    again.load(json.loads(json.dumps(gauge.dump())))
    assert again.read(NOW + 60).series == {}
    guard.begin("arb-1", NOW + 90)
    again.set(("arb-1",), 2)
    assert again.read(NOW + 100).series == {("arb-1",): 2}


def test_a_bucket_keeps_its_newest_exemplar_and_none_for_what_is_no_trace() -> None:
    histogram = Histogram("h", "d", (), (1.0, 10.0), guard_at())
    histogram.observe((), 0.5, TRACE)
    histogram.observe((), 0.7, TRACE.replace("0", "1"))
    histogram.observe((), 5.0, TRACE)
    histogram.observe((), 50.0, 'x"} 1')
    histogram.observe((), 60.0)
    assert histogram.exemplars == {
        (): {0: Exemplar(TRACE.replace("0", "1"), 0.7, NOW), 1: Exemplar(TRACE, 5.0, NOW)},
    }


def test_a_reading_does_not_move_with_what_is_folded_after_it() -> None:
    counter, histogram = Counter("c", "d", ()), Histogram("h", "d", (), (1.0,))
    counter.inc(())
    histogram.observe((), 0.5, TRACE)
    readings = [counter.read(NOW), histogram.read(NOW)]
    counter.inc(())
    histogram.observe((), 0.7, TRACE.replace("0", "1"))
    assert [one.series for one in readings] == [{(): 1}, {(): [1, 0, 0.5]}]
    assert readings[1].exemplars[()][0].value == 0.5


@given(st.dictionaries(st.tuples(st.text(), st.text()), st.floats(0, 1e300), max_size=2))
def test_a_family_comes_back_from_json(series: dict[Labels, float]) -> None:
    family, again = Gauge("g", "d", ("l", "m"), guard_at()), Gauge("g", "d", ("l", "m"))
    for labels, value in series.items():
        family.set(labels, value)
    rows = json.loads(json.dumps(family.dump()))
    assert all(again.fits(row) for row in rows)
    again.load(rows)
    assert again.series == series
    assert again.dump() == family.dump()


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        [["x"]],
        [["x"], 1.0, 2.0, 3.0],
        [["x", "y"], 1.0, 2.0],
        [["x"], "1", 2.0],
        [["x"], 1.0, None],
        [[1], 1.0, 2.0],
    ],
)
def test_a_row_of_another_form_does_not_fit(row: object) -> None:
    assert not Counter("c", "d", ("l",)).fits(row)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("", ""),
        ("a", "a"),
        (" a b ", "a b"),
        ("é" * 500, "é" * MAX_LABEL_LENGTH),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("a\nb", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        (OTHER, "other"),
    ],
)
def test_a_labels_value_is_clean_and_bounded(text: str | None, shown: str) -> None:
    assert label(text) == shown


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("a_seconds", "seconds"),
        ("a_timestamp_seconds", "seconds"),
        ("b_bytes", "bytes"),
        ("c_ratio", "ratio"),
        ("d", ""),
    ],
)
def test_the_unit_is_the_one_in_the_name(name: str, unit: str) -> None:
    families: Iterable[Family[Any]] = (Counter(name, "d", ()), Gauge(name, "d", ()))
    assert {family.unit for family in families} == {unit}
