"""Metrics of errors and log records."""

from __future__ import annotations

from deskwatch.events import BotStarted, ErrorOccurred, LogRecorded, Mode
from tests.unit.projections.folding import fold, samples, value


def test_errors_are_counted_by_component_and_kind() -> None:
    timeout = ErrorOccurred(component="feed", kind="TimeoutError", message="m")
    metrics = fold(timeout, timeout, ErrorOccurred(component="rpc", kind="TimeoutError", message="m"))
    assert value(metrics, "tradebot_errors_total", component="feed", kind="TimeoutError") == 2
    assert value(metrics, "tradebot_errors_total", component="rpc", kind="TimeoutError") == 1


def test_log_records_are_counted_by_level_from_zero_on() -> None:
    metrics = fold(
        BotStarted(pid=1, host="h", mode=Mode.STANDBY), LogRecorded(message="m", levelname="WARNING", name="n")
    )
    found = {labels["kind"]: one for labels, one in samples(metrics, "tradebot_log_records_total")}
    assert found == {"debug": 0, "info": 0, "warning": 1}
