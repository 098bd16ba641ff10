"""Recent activity."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.events import EVENTS, Event
from deskwatch.journal import Record, read
from deskwatch.projections import Activity
from deskwatch.projections import activity as activity_module
from deskwatch.projections.activity import _NOT_ACTIVITY, LEVELS, Entry, Filter, level_of
from tests import strategies
from tests.lines import START_NS, record_of

NOTE = ev.LogRecorded(message="m", levelname="INFO", name="n")


def fold(*events: Event) -> Activity:
    activity = Activity()
    for event in events:
        activity.apply(record_of(event))
    return activity


def types(entries: Any) -> list[str]:
    return [entry.type for entry in entries]


def test_every_record_has_a_number_and_the_rare_ones_an_entry() -> None:
    activity = Activity()
    assert activity.apply(record_of(NOTE)) is not None
    assert activity.apply(record_of(ev.HeartbeatSent(uptime_seconds=1.0, idle_seconds=1.0))) is None
    entry = activity.apply(record_of(ev.SignalRaised(signal="s", provider="p", symbol="ETH")))
    assert entry is not None
    assert (entry.number, entry.kind, entry.provider, entry.symbol) == (3, "decisions", "p", "ETH")
    assert activity.number == 3
    assert types(activity.newest(Filter(), 10)) == ["signal_raised", "log_recorded"]


def test_what_is_left_out_exists() -> None:
    assert set(EVENTS) > _NOT_ACTIVITY


def test_an_entry_is_shown_in_the_journals_own_words() -> None:
    record = record_of(NOTE)
    entry = Activity().apply(record)
    assert json.loads(msgspec.json.encode(entry))["raw"] == json.loads(record.raw)


def test_an_unknown_type_is_activity() -> None:
    entry = Activity().apply(read(b'{"type":"moon_landed","ts":1}', "b", "main"))
    assert entry is not None
    assert (entry.kind, entry.level, entry.provider) == ("other", "info", None)


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (NOTE, "info"),
        (ev.LogRecorded(message="m", levelname="WARNING", name="n"), "warning"),
        (ev.LogRecorded(message="m", levelname="TRACE", name="n"), "info"),
        (ev.ErrorOccurred(component="c", kind="k", message="m"), "error"),
        (ev.ErrorOccurred(component="c", kind="k", message="m", levelname="CRITICAL"), "critical"),
        (ev.RiskAlertRaised(alert="a", severity="critical"), "critical"),
        (ev.RiskAlertRaised(alert="a", severity="odd"), "warning"),
        (ev.RiskAlertCleared(alert="a"), "info"),
        (ev.ConnectionChanged(connection="c", venue="v", up=False), "warning"),
        (ev.ConnectionChanged(connection="c", venue="v", up=True), "info"),
        (ev.ConnectionChanged(connection="c", venue="v", up=False, gone=True), "info"),
        (ev.CommandFailed(command_id="c", command="x", error="e"), "error"),
        (ev.OrderRejected(order_id="o", venue="v", symbol="s", reason="r"), "warning"),
        (ev.BotStopped(reason="closed"), "info"),
    ],
)
def test_an_events_level_says_how_serious_it_is(event: Event, level: str) -> None:
    assert level_of(record_of(event)) == level


@given(event=strategies.any_event)
def test_every_event_has_one_of_the_levels(event: Event) -> None:
    assert level_of(record_of(event)) in LEVELS


FILTERS = st.builds(
    Filter,
    bot=st.none() | strategies.bots,
    kind=st.none() | st.sampled_from(("orders", "logs", "decisions")),
    type=st.none() | st.sampled_from(("log_recorded", "decision_made")),
    provider=st.none() | st.sampled_from(("a", "b")),
    symbol=st.none() | st.sampled_from(("a", "b")),
    level=st.none() | st.sampled_from(LEVELS),
    since_ts=st.none() | st.integers(START_NS - 10**12, START_NS + 10**12),
    until_ts=st.none() | st.integers(START_NS - 10**12, START_NS + 10**12),
)


@given(records=strategies.records(), wanted=FILTERS, limit=st.integers(0, 10), since=st.integers(0, 25))
def test_newest_and_since_give_what_the_filter_accepts(
    records: list[Record], wanted: Filter, limit: int, since: int
) -> None:
    activity = Activity()
    entries = [entry for record in records if (entry := activity.apply(record)) is not None]
    accepted = [entry for entry in entries if wanted.accepts(entry)]
    assert activity.newest(wanted, limit) == accepted[::-1][:limit]
    assert list(activity.since(since, wanted)) == [entry for entry in accepted if (entry.number or 0) > since]
    for entry in accepted:
        for name in ("bot", "kind", "type", "provider", "symbol"):
            assert getattr(wanted, name) in (None, getattr(entry, name))
        assert (wanted.since_ts or 0) <= entry.ts < (wanted.until_ts or 2**63)
        assert wanted.level is None or LEVELS.index(entry.level) >= LEVELS.index(wanted.level)


def test_a_level_means_this_one_or_a_more_serious_one() -> None:
    error = ev.ErrorOccurred(component="c", kind="k", message="m")
    assert types(fold(NOTE, error).newest(Filter(level="warning"), 10)) == ["error_occurred"]
    assert len(fold(NOTE, error).newest(Filter(level="debug"), 10)) == 2


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_module, "KEPT", 3)
    activity = fold(*[NOTE] * 5)
    assert [entry.number for entry in activity.newest(Filter(), 10)] == [5, 4, 3]


@given(records=strategies.records())
def test_a_checkpoint_brings_back_every_entry_byte_for_byte(records: list[Record]) -> None:
    activity, again = Activity(), Activity()
    for record in records:
        activity.apply(record)
    again.load(json.loads(msgspec.json.encode(activity.dump())))
    assert again.number == activity.number
    before: list[Entry] = activity.newest(Filter(), 100)
    after = again.newest(Filter(), 100)
    assert after == before
    assert [bytes(entry.raw) for entry in after] == [bytes(entry.raw) for entry in before]


def test_a_line_with_a_number_beyond_all_bounds_does_not_spoil_the_checkpoint() -> None:
    activity, again = Activity(), Activity()
    activity.apply(read(b'{"type":"moon_landed","ts":1,"distance":1e999}', "b", "main"))
    again.load(msgspec.json.decode(msgspec.json.encode(activity.dump())))
    assert again.newest(Filter(), 1) == activity.newest(Filter(), 1)


def test_what_is_kept_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lines push out older ones, before and after a checkpoint."""
    monkeypatch.setattr(activity_module, "KEPT_BYTES", 5000)
    activity = Activity()
    for number in range(50):
        activity.apply(record_of(ev.BotStopped(reason="x" * 1000), seq=number + 1))
    assert 2 <= len(activity.newest(Filter(), 100)) <= 5
    again = Activity()
    again.load(activity.dump())
    assert again.newest(Filter(), 100) == activity.newest(Filter(), 100)
