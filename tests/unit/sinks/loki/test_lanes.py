"""Which lane a line goes to, and what Loki's refusals teach."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki.clock import LokiClock
from deskwatch.sinks.loki.entries import Entry, as_late
from deskwatch.sinks.loki.lanes import HOUR_NS, MINUTE_NS, Lanes, Limits, is_about_time

S = 10**9
DAY_NS = 24 * HOUR_NS


def entry(ts: int, kind: str = "logs") -> Entry:
    return Entry(stream=("arb-1", kind, "live"), ts=ts, line="{}", metadata={})


@pytest.fixture
def lanes() -> Lanes:
    return Lanes(Cursor(Path("nowhere"), "loki"), LokiClock())


def text(ts: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ts // S))


@pytest.mark.parametrize(
    ("age", "is_late"),
    [
        (0, False),
        (6 * DAY_NS, False),
        (6 * DAY_NS + 13 * HOUR_NS, True),
        (-7 * MINUTE_NS, False),
        (-9 * MINUTE_NS, True),
    ],
)
def test_what_is_too_old_or_of_the_future_is_late(age: int, is_late: bool, lanes: Lanes) -> None:
    now = lanes.now_ns()
    assert lanes.choose([entry(now - age)], now) == [is_late]


def test_what_is_far_behind_its_own_stream_is_late(lanes: Lanes) -> None:
    now = lanes.now_ns()
    assert lanes.choose([entry(now), entry(now, "orders")], now) == [False, False]
    old = now - 56 * MINUTE_NS
    assert lanes.choose([entry(old), entry(old, "orders"), entry(old, "risk")], now) == [True, True, False]
    assert lanes.choose([entry(now - 54 * MINUTE_NS)], now) == [False]


def test_within_one_push_what_is_far_behind_the_newest_of_it_is_late(lanes: Lanes) -> None:
    now = lanes.now_ns()
    assert lanes.choose([entry(now - 2 * HOUR_NS), entry(now), entry(now - HOUR_NS)], now) == [True, False, True]


ages_ns = st.one_of(st.integers(-20, 240), st.integers(-3000, 13000)).map(lambda minutes: minutes * MINUTE_NS)


@given(ages=st.lists(ages_ns, max_size=30), before=ages_ns)
def test_no_live_line_of_a_push_is_refused_even_when_the_push_is_repeated(ages: list[int], before: int) -> None:
    lanes = Lanes(Cursor(Path("nowhere"), "loki"), LokiClock())
    now = lanes.now_ns()
    lanes.choose([entry(now - before)], now)
    newest = lanes._cursor.newest.get(("arb-1", "logs"), 0)
    entries = [entry(now - age) for age in ages]
    late = lanes.choose(entries, now)
    live = [one.ts for one, is_late in zip(entries, late, strict=True) if not is_late]
    newest = max([newest, *live])
    assert all(newest - ts < HOUR_NS and now - 7 * DAY_NS < ts < now + 10 * MINUTE_NS for ts in live)


def test_late_times_are_now_and_never_the_same(lanes: Lanes) -> None:
    before = time.time_ns()
    times = [lanes.next_late_ts() for _ in range(1000)]
    assert times == sorted(set(times))
    assert before <= times[0] <= times[-1] <= time.time_ns() + 1000


@pytest.mark.parametrize("year", [2100, 9999])
def test_a_late_time_of_a_wrong_clock_is_not_gone_on_from(year: int, lanes: Lanes) -> None:
    """Whether it was kept from a day with a wrong clock, or an odd answer asks for it."""
    wrong = (year - 1970) * 365 * DAY_NS
    lanes._cursor.late_ts = wrong
    times = [lanes.next_late_ts(), *(lanes.next_late_ts(wrong) for _ in range(1000)), lanes.next_late_ts()]
    assert times == sorted(set(times))
    assert times[-1] < time.time_ns() + 10 * MINUTE_NS


def test_a_late_entry_carries_the_events_own_time_however_often_it_is_decided() -> None:
    late = as_late(as_late(entry(5), 7), 9)
    assert (late.ts, late.event_ts, late.metadata, late.stream[2]) == (9, 5, {"event_ts": "5"}, "late")


def test_a_cutoff_tells_all_that_were_too_old_and_the_window(lanes: Lanes) -> None:
    now = lanes.now_ns()
    cutoff = now - DAY_NS
    words = (
        "1 errors like: entry for stream '{}' has timestamp too old: 2026-10-12T06:44:28Z, "
        f"oldest acceptable timestamp is: {text(cutoff)}; 1 errors like: another"
    )
    refused, oldest = lanes.find_refused(words, [entry(now), entry(cutoff - 2 * S), entry(cutoff + 2 * S)])
    assert refused == [1]
    assert cutoff - S < oldest <= cutoff + S
    assert 23 * HOUR_NS - 2 * S < lanes.limits.old < 23 * HOUR_NS + 2 * S
    assert is_about_time(words)


def test_what_was_too_new_is_told_by_one_that_was(lanes: Lanes) -> None:
    now = lanes.now_ns()
    words = f"entry for stream '{{}}' has timestamp too new: {text(now + HOUR_NS)}\n"
    entries = [entry(now), entry(now + HOUR_NS), entry(now + HOUR_NS + 2 * S)]
    assert lanes.find_refused(words, entries)[0] == [2]
    lanes._cursor.newest["arb-1", "logs"] = now + HOUR_NS
    lanes.learn(words, entries[1])
    assert lanes._cursor.newest["arb-1", "logs"] <= lanes.now_ns() + Limits().future


def test_a_stream_that_is_further_on_than_we_know_is_learnt(lanes: Lanes) -> None:
    now = lanes.now_ns()
    words = f"reason: 'entry too far behind, entry timestamp is: x, oldest acceptable timestamp is: {text(now)}',"
    lanes.learn(words, entry(now - S))
    assert now + HOUR_NS - S < lanes._cursor.newest["arb-1", "logs"] <= now + HOUR_NS


def test_a_window_that_is_narrower_than_an_hour_is_learnt(lanes: Lanes) -> None:
    now = lanes.now_ns()
    lanes._cursor.newest["arb-1", "logs"] = now
    cutoff = text(now - 30 * MINUTE_NS)
    lanes.learn(f"entry too far behind, oldest acceptable timestamp is: {cutoff}", entry(now - 40 * MINUTE_NS))
    assert 26 * MINUTE_NS < lanes.limits.behind < 28 * MINUTE_NS
    assert lanes.limits.span < lanes.limits.behind


@pytest.mark.parametrize("words", ["", "max entry size '1' bytes exceeded", "timestamp too new", "too old", "garbage"])
def test_other_words_teach_nothing(words: str, lanes: Lanes) -> None:
    assert lanes.find_refused(words, [entry(5)]) == ([], 0)
    lanes.learn(words, entry(5))
    assert not is_about_time(words)
    assert lanes.limits == Limits()
    assert lanes._cursor.newest == {}


def test_garbled_times_teach_nothing(lanes: Lanes) -> None:
    for words in ("timestamp too old: x, oldest acceptable timestamp is: 20-", "timestamp too new: 0000-"):
        assert lanes.find_refused(words, [entry(5)]) == ([], 0)
        assert is_about_time(words)


def test_lokis_clock_counts_where_it_is_not_ours() -> None:
    clock = LokiClock()
    assert abs(clock.now_ns() - time.time_ns()) < S
    clock.tell(formatdate(time.time() - 7200, usegmt=True))
    assert abs(clock.now_ns() - time.time_ns() + 7200 * S) < 3 * S
    for odd in (None, "", "yesterday", "Wed, 99 Oct 2026 07:28:00 GMT"):
        clock.tell(odd)
    assert abs(clock.now_ns() - time.time_ns() + 7200 * S) < 3 * S
    clock.tell(formatdate(usegmt=True))
    assert abs(clock.now_ns() - time.time_ns()) < S
