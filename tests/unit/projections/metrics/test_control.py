"""Metrics of commands."""

from __future__ import annotations

import pytest

from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandRefused,
    CommandStarted,
    CommandSucceeded,
    Event,
    Mode,
)
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.metrics import control as control_module
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, value


def accepted(command_id: str = "c") -> CommandAccepted:
    return CommandAccepted(command_id=command_id, command="ping", params={}, actor="operator", expires_ts=1)


def started() -> CommandStarted:
    return CommandStarted(command_id="c", command="ping")


def open_commands(metrics: Metrics) -> float | None:
    return value(metrics, "tradebot_commands_open", kind="ping")


def succeeded(command_id: str = "c") -> CommandSucceeded:
    return CommandSucceeded(command_id=command_id, command="ping")


def test_commands_are_counted_by_how_they_ended_and_start_at_zero() -> None:
    metrics = fold(accepted())
    names = ("accepted", "started", "succeeded", "failed", "expired")
    assert [value(metrics, f"tradebot_commands_{name}_total", kind="ping") for name in names] == [1, 0, 0, 0, 0]
    fold(
        started(),
        succeeded(),
        CommandFailed(command_id="d", command="ping", error="no"),
        CommandExpired(command_id="e", command="ping"),
        CommandRefused(command_id="f", command="ping", actor="a", error="no"),
        into=metrics,
    )
    assert [value(metrics, f"tradebot_commands_{name}_total", kind="ping") for name in names] == [1, 1, 1, 1, 1]
    assert value(metrics, "tradebot_commands_refused_total", kind="ping") == 1


def test_latency_runs_from_accepted_to_done() -> None:
    metrics = fold(record_of(accepted(), ts=START_NS), record_of(succeeded(), ts=START_NS + 40_000_000))
    assert value(metrics, "tradebot_command_latency_seconds_sum", kind="ping") == 0.04


def test_a_clock_that_differs_gives_no_negative_latency() -> None:
    metrics = fold(record_of(accepted(), ts=START_NS), record_of(succeeded(), ts=START_NS - 40_000_000))
    assert value(metrics, "tradebot_command_latency_seconds_sum", kind="ping") == 0


def test_open_commands_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "MAX_OPEN", 1)
    metrics = fold(accepted("c"), accepted("d"))
    assert open_commands(metrics) == 1
    fold(succeeded("d"), succeeded("c"), into=metrics)
    assert open_commands(metrics) == 0
    assert value(metrics, "tradebot_command_latency_seconds_count") == 1


ENDS = [
    succeeded(),
    CommandFailed(command_id="c", command="ping", error="no"),
    CommandExpired(command_id="c", command="ping"),
]


@pytest.mark.parametrize("end", ENDS, ids=type)
def test_a_command_is_open_from_its_acceptance_to_its_end(end: Event) -> None:
    metrics = fold(accepted(), accepted("other"))
    assert open_commands(metrics) == 2
    fold(end, into=metrics)
    assert open_commands(metrics) == 1


@pytest.mark.parametrize("place", range(3))
def test_the_words_of_the_sidecar_may_be_read_before_and_after_those_of_the_bot(place: int) -> None:
    words: list[Event] = [started(), succeeded()]
    words.insert(place, accepted())
    metrics = fold(*(record_of(word, ts=START_NS) for word in words))
    assert open_commands(metrics) == 0
    assert value(metrics, "tradebot_command_latency_seconds_count") == 1
    assert value(metrics, "tradebot_command_pickup_seconds_count") == 1


def test_a_command_that_the_bot_began_in_the_last_instant_is_open_though_it_expired() -> None:
    metrics = fold(accepted(), started(), CommandExpired(command_id="c", command="ping"))
    assert open_commands(metrics) == 1


def test_what_a_bot_began_before_it_was_started_again_is_open_no_longer() -> None:
    start = BotStarted(pid=1, host="h", mode=Mode.STANDBY)
    metrics = fold(accepted(), started(), accepted("waiting"), record_of(start, writer="feeder"))
    assert open_commands(metrics) == 2
    fold(start, into=metrics)
    assert open_commands(metrics) == 1


def test_how_long_a_command_waited_for_the_bot_is_told() -> None:
    metrics = fold(record_of(accepted(), ts=START_NS), record_of(started(), ts=START_NS + 30_000_000))
    assert value(metrics, "tradebot_command_pickup_seconds_sum", kind="ping") == 0.03
