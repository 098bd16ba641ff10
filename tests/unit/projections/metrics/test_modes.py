"""Metrics of modes."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import BotStarted, CommandAccepted, HeartbeatSent, Mode, ModeChanged
from deskwatch.journal import Record
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

NONE = dict.fromkeys(map(str, Mode), 0.0)


def modes(metrics: Any, name: str) -> dict[str, float]:
    return {labels["mode"]: one for labels, one in samples(metrics, name)}


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


def test_a_heartbeat_tells_the_mode_where_no_change_of_it_is_kept() -> None:
    def told(mode: Mode, writer: str) -> Record:
        return record_of(HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, mode=mode), writer=writer)

    metrics = fold(told(Mode.CLOSING, "feeder"))
    assert modes(metrics, "tradebot_mode") == {each.value: float(each is Mode.CLOSING) for each in Mode}
    fold(told(Mode.HALTED, "main"), told(Mode.ACTIVE, "feeder"), into=metrics)  # of several writers main tells
    assert modes(metrics, "tradebot_mode") == {each.value: float(each is Mode.HALTED) for each in Mode}


def test_a_start_tells_the_mode_and_that_none_was_asked_for_and_none_has_changed() -> None:
    metrics = fold(record_of(BotStarted(pid=1, host="h", mode=Mode.STANDBY), ts=START_NS))
    assert modes(metrics, "tradebot_mode") == NONE | {"standby": 1}
    assert modes(metrics, "tradebot_desired_mode") == modes(metrics, "tradebot_mode_changes_total") == NONE
    assert value(metrics, "tradebot_mode_timestamp_seconds") == START_NS / 1e9


def test_a_restart_leaves_what_was_asked_for_and_when_the_mode_changed() -> None:
    asked = CommandAccepted(command_id="c", command="set_mode", params={"mode": "halted"}, actor="a", expires_ts=1)
    change = record_of(ModeChanged(mode=Mode.HALTED, previous=Mode.ACTIVE), ts=START_NS)
    metrics = fold(asked, change, record_of(BotStarted(pid=1, host="h", mode=Mode.HALTED), ts=START_NS + 10**9))
    assert modes(metrics, "tradebot_desired_mode") == NONE | {"halted": 1}
    assert modes(metrics, "tradebot_mode_changes_total")["halted"] == 1
    assert value(metrics, "tradebot_mode_timestamp_seconds") == START_NS / 1e9


def test_the_mode_stays_after_the_bots_death() -> None:
    metrics = fold(record_of(ModeChanged(mode=Mode.ACTIVE), ts=START_NS))
    assert samples(metrics, "tradebot_mode", now=4e9) == samples(metrics, "tradebot_mode")


def test_of_several_writers_main_tells_the_mode_and_a_change_is_counted_once() -> None:
    """A helper that starts in standby must not show a bot as standing by that trades."""
    halted = ModeChanged(mode=Mode.HALTED, previous=Mode.ACTIVE)
    metrics = fold(
        record_of(ModeChanged(mode=Mode.CLOSING, reason="start"), writer="feeder"),
        record_of(BotStarted(pid=1, host="h", mode=Mode.ACTIVE), writer="main"),
        record_of(ModeChanged(mode=Mode.STANDBY, reason="start"), writer="feeder"),
    )
    assert modes(metrics, "tradebot_mode") == NONE | {"active": 1}
    fold(record_of(halted, writer="feeder"), record_of(halted, writer="main"), into=metrics)
    assert modes(metrics, "tradebot_mode") == NONE | {"halted": 1}
    assert modes(metrics, "tradebot_mode_changes_total") == NONE | {"halted": 1}
    again = ModeChanged(mode=Mode.HALTED, previous=Mode.HALTED, reason="daily loss limit")
    fold(record_of(again, writer="main"), into=metrics)
    assert modes(metrics, "tradebot_mode_changes_total") == NONE | {"halted": 1}
