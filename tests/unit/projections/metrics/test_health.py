"""Metrics of what goes wrong."""

from __future__ import annotations

from deskwatch.events import (
    ConnectionChanged,
    ErrorOccurred,
    LogRecorded,
    RequestCompleted,
    RiskAlertCleared,
    RiskAlertRaised,
)
from tests.unit.projections.folding import fold, value


def test_errors_and_log_records_are_counted_by_kind_and_level() -> None:
    metrics = fold(
        ErrorOccurred(component="c", kind="TimeoutError", message="m"),
        LogRecorded(message="m", levelname="WARNING", name="n"),
    )
    assert value(metrics, "tradebot_errors_total", kind="TimeoutError") == 1
    assert value(metrics, "tradebot_log_records_total", kind="warning") == 1


def test_a_connection_is_up_or_down_and_its_losses_are_counted() -> None:
    def changed(up: bool) -> ConnectionChanged:
        return ConnectionChanged(connection="rpc", venue="node", up=up)

    metrics = fold(changed(True))
    assert value(metrics, "tradebot_connection_up", venue="node", kind="rpc") == 1
    assert value(metrics, "tradebot_connection_losses_total", kind="rpc") == 0
    fold(changed(False), changed(True), changed(False), into=metrics)
    assert value(metrics, "tradebot_connection_up", kind="rpc") == 0
    assert value(metrics, "tradebot_connection_losses_total", kind="rpc") == 2


def test_requests_are_counted_with_failures_beside_them() -> None:
    metrics = fold(
        RequestCompleted(venue="node", operation="eth_call", ok=True, latency_seconds=0.02),
        RequestCompleted(venue="node", operation="eth_call", ok=False, latency_seconds=None),
    )
    assert value(metrics, "tradebot_requests_total", venue="node", kind="eth_call") == 2
    assert value(metrics, "tradebot_request_failures_total", kind="eth_call") == 1
    assert value(metrics, "tradebot_request_latency_seconds_count", kind="eth_call") == 1


def test_a_risk_alert_is_raised_until_it_is_cleared() -> None:
    metrics = fold(RiskAlertRaised(alert="exposure", severity="critical"))
    assert value(metrics, "tradebot_risk_alert", kind="exposure") == 1
    fold(RiskAlertCleared(alert="exposure"), into=metrics)
    assert value(metrics, "tradebot_risk_alert", kind="exposure") == 0
