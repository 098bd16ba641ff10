"""Metrics of starts, stops, heartbeats and modes."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import BotStarted, BotStopped, CommandAccepted, EventsLost, HeartbeatSent, Mode, ModeChanged
from deskwatch.events.lifecycle import LOSS_REASONS
from deskwatch.journal import Record
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

STARTED = BotStarted(pid=1, host="h", mode=Mode.STANDBY)


def modes(metrics: Any, name: str) -> dict[str, float]:
    return {labels["mode"]: one for labels, one in samples(metrics, name)}


def beat(failures: int, nulls: int = 0, *, run: bytes = b"a", writer: str = "main") -> Record:
    event = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, sync_failures=failures, null_values=nulls)
    return record_of(event, run=run, writer=writer)


def test_a_bot_runs_from_its_start_to_an_orderly_stop() -> None:
    metrics = fold(record_of(STARTED, ts=START_NS))
    assert value(metrics, "tradebot_running", bot="arb-1") == 1
    assert value(metrics, "tradebot_start_timestamp_seconds") == START_NS / 1e9
    assert (value(metrics, "tradebot_starts_total"), value(metrics, "tradebot_stops_total")) == (1, 0)
    fold(BotStopped(reason="closed"), into=metrics)
    assert value(metrics, "tradebot_running") == 0
    assert value(metrics, "tradebot_stops_total") == 1


@pytest.mark.parametrize("mode", Mode)
def test_exactly_one_mode_is_the_one_it_acts_by(mode: Mode) -> None:
    metrics = fold(ModeChanged(mode=Mode.STANDBY), ModeChanged(mode=mode, previous=Mode.STANDBY))
    assert modes(metrics, "tradebot_mode") == {each.value: float(each is mode) for each in Mode}


def test_a_change_of_mode_is_counted_and_a_start_is_none() -> None:
    metrics = fold(
        ModeChanged(mode=Mode.STANDBY, reason="start"),
        record_of(ModeChanged(mode=Mode.ACTIVE, previous=Mode.STANDBY), ts=START_NS),
    )
    assert modes(metrics, "tradebot_mode_changes_total") == {"active": 1}
    assert value(metrics, "tradebot_mode_timestamp_seconds") == START_NS / 1e9


def test_the_mode_last_asked_for_is_shown_and_nonsense_is_not() -> None:
    def asked(command: str, params: dict[str, Any]) -> CommandAccepted:
        return CommandAccepted(command_id="c", command=command, params=params, actor="a", expires_ts=1)

    metrics = fold(asked("set_mode", {"mode": "closing"}))
    nonsense: list[dict[str, Any]] = [{}, {"mode": "fast"}, {"mode": ["active"]}, {"mode": {}}]
    for params in nonsense:
        fold(asked("set_mode", params), asked("other", {"mode": "active"}), into=metrics)
    assert modes(metrics, "tradebot_desired_mode") == {each.value: float(each is Mode.CLOSING) for each in Mode}


def test_heartbeats_carry_totals_of_a_run_and_are_counted_as_increases() -> None:
    metrics = fold(beat(0), beat(3, 1), beat(3, 1), beat(5, 4))
    assert value(metrics, "tradebot_heartbeats_total") == 4
    assert value(metrics, "tradebot_journal_sync_failures_total") == 5
    assert value(metrics, "tradebot_null_values_total") == 4
    assert value(metrics, "tradebot_idle_seconds") == 0.5
    fold(beat(2, 1, run=b"b"), into=metrics)
    assert value(metrics, "tradebot_journal_sync_failures_total") == 7


def test_the_totals_of_several_writers_add_up() -> None:
    metrics = fold(beat(1), beat(10, writer="feeder"), beat(2), beat(11, writer="feeder"))
    assert value(metrics, "tradebot_journal_sync_failures_total") == 13


def test_lost_events_are_counted_by_reason_from_what_the_bot_says_of_them_and_not_from_heartbeats() -> None:
    metrics = fold(record_of(STARTED))
    lost = dict.fromkeys(LOSS_REASONS, 0.0)
    assert {labels["reason"]: one for labels, one in samples(metrics, "tradebot_events_lost_total")} == lost
    fold(
        EventsLost(events=3, reason="disk_full"),
        HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, lost_events=5),
        EventsLost(events=2, reason="disk_full"),
        EventsLost(events=1, reason="removed"),
        into=metrics,
    )
    lost |= {"disk_full": 5.0, "removed": 1.0}
    assert {labels["reason"]: one for labels, one in samples(metrics, "tradebot_events_lost_total")} == lost


def test_a_heartbeat_tells_the_mode_where_no_change_of_it_is_kept() -> None:
    def told(mode: Mode, writer: str) -> Record:
        return record_of(HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, mode=mode), writer=writer)

    metrics = fold(told(Mode.CLOSING, "feeder"))
    assert modes(metrics, "tradebot_mode") == {each.value: float(each is Mode.CLOSING) for each in Mode}
    fold(told(Mode.HALTED, "main"), told(Mode.ACTIVE, "feeder"), into=metrics)  # of several writers main tells
    assert modes(metrics, "tradebot_mode") == {each.value: float(each is Mode.HALTED) for each in Mode}


def test_the_sidecars_words_are_no_sign_of_the_bots_life() -> None:
    accepted = CommandAccepted(command_id="c", command="ping", params={}, actor="a", expires_ts=1)
    assert samples(fold(accepted), "tradebot_last_event_timestamp_seconds") == []
    assert value(fold(record_of(STARTED, ts=START_NS)), "tradebot_last_event_timestamp_seconds") == START_NS / 1e9
