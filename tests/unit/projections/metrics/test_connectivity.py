"""Metrics of connections and requests."""

from __future__ import annotations

from deskwatch.events import ConnectionChanged, RequestCompleted
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def changed(up: bool) -> ConnectionChanged:
    return ConnectionChanged(connection="rpc", venue="node", up=up)


def request(ok: bool, reason: str | None = None, latency_seconds: float | None = 0.02) -> RequestCompleted:
    return RequestCompleted(venue="node", operation="eth_call", ok=ok, reason=reason, latency_seconds=latency_seconds)


def test_a_connection_is_up_or_down_and_its_losses_and_returns_are_counted() -> None:
    metrics = fold(changed(True))
    names = ("tradebot_connection_up", "tradebot_connection_losses_total", "tradebot_connection_reconnects_total")
    assert [value(metrics, name, venue="node", kind="rpc") for name in names] == [1, 0, 0]
    fold(changed(False), changed(True), changed(True), record_of(changed(False), ts=START_NS), into=metrics)
    assert [value(metrics, name, venue="node", kind="rpc") for name in names] == [0, 2, 1]
    assert value(metrics, "tradebot_connection_timestamp_seconds", kind="rpc") == START_NS / 1e9


def test_a_connection_that_is_gone_is_not_shown() -> None:
    metrics = fold(changed(False), ConnectionChanged(connection="rpc", venue="node", up=False, gone=True))
    for name in ("tradebot_connection_up", "tradebot_connection_timestamp_seconds"):
        assert samples(metrics, name) == []
    assert value(metrics, "tradebot_connection_losses_total", kind="rpc") == 1


def test_requests_are_counted_with_failures_beside_them_from_zero_on() -> None:
    metrics = fold(request(True))
    assert value(metrics, "tradebot_request_failures_total", kind="eth_call") == 0
    fold(request(False, latency_seconds=None), into=metrics)
    assert value(metrics, "tradebot_requests_total", venue="node", kind="eth_call") == 2
    assert value(metrics, "tradebot_request_failures_total", kind="eth_call") == 1
    assert value(metrics, "tradebot_request_latency_seconds_count", kind="eth_call") == 1


def test_failures_are_counted_by_reason() -> None:
    metrics = fold(request(True, "fine"), request(False, "timeout"), request(False, "timeout"), request(False))
    found = sorted(
        (labels.get("reason", ""), one) for labels, one in samples(metrics, "tradebot_request_failures_by_reason_total")
    )
    assert found == [("", 1), ("timeout", 2)]
