"""Metrics of commands and sign-ins."""

from __future__ import annotations

import pytest

from deskwatch.events import (
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandRefused,
    CommandSucceeded,
    SignInRefused,
)
from deskwatch.projections.metrics import control as control_module
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def accepted(command_id: str = "c") -> CommandAccepted:
    return CommandAccepted(command_id=command_id, command="ping", params={}, actor="operator", expires_ts=1)


def succeeded(command_id: str = "c") -> CommandSucceeded:
    return CommandSucceeded(command_id=command_id, command="ping")


def test_commands_are_counted_by_how_they_ended_and_start_at_zero() -> None:
    metrics = fold(accepted())
    names = ("accepted", "succeeded", "failed", "expired")
    assert [value(metrics, f"tradebot_commands_{name}_total", kind="ping") for name in names] == [1, 0, 0, 0]
    fold(
        succeeded(),
        CommandFailed(command_id="d", command="ping", error="no"),
        CommandExpired(command_id="e", command="ping"),
        CommandRefused(command_id="f", command="ping", actor="a", error="no"),
        into=metrics,
    )
    assert [value(metrics, f"tradebot_commands_{name}_total", kind="ping") for name in names] == [1, 1, 1, 1]
    assert value(metrics, "tradebot_commands_refused_total", kind="ping") == 1


def test_latency_runs_from_accepted_to_done() -> None:
    metrics = fold(record_of(accepted(), ts=START_NS), record_of(succeeded(), ts=START_NS + 40_000_000))
    assert value(metrics, "tradebot_command_latency_seconds_sum", kind="ping") == 0.04


def test_a_clock_that_differs_gives_no_negative_latency() -> None:
    metrics = fold(record_of(accepted(), ts=START_NS), record_of(succeeded(), ts=START_NS - 40_000_000))
    assert value(metrics, "tradebot_command_latency_seconds_sum", kind="ping") == 0


def test_open_commands_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "MAX_OPEN", 1)
    metrics = fold(accepted("c"), accepted("d"), succeeded("c"), succeeded("d"))
    assert value(metrics, "tradebot_command_latency_seconds_count") == 1


def test_refused_sign_ins_are_counted_by_what_was_wrong() -> None:
    metrics = fold(
        *(SignInRefused(route="GET /", remote="r", problem=problem) for problem in ("wrong", "wrong", "scope"))
    )
    assert sorted(samples(metrics, "deskwatch_sign_ins_refused_total"), key=str) == [
        ({"reason": "scope"}, 1),
        ({"reason": "wrong"}, 2),
    ]
