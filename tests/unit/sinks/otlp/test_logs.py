"""A journal line as a log record."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord

from deskwatch import events as ev
from deskwatch.sinks.otlp.logs import Logs
from deskwatch.sinks.otlp.resources import Resources
from tests import strategies
from tests.lines import START_NS
from tests.unit.sinks.otlp.lines import line, raw

TRACE = "0af7651916cd43dd8448eb211c80319c"
logs = Logs(Resources("instance-1"))


def record(event: ev.Event, **more: Any) -> ReadableLogRecord:
    (one,) = logs.translate(line(event, **more))
    return one


def test_a_record_tells_whose_it_is_what_when_and_where() -> None:
    event = ev.OrderRejected(
        order_id="o-1", venue="amber", symbol="WETH/USDC", reason="timeout", trace=TRACE, cause="d-1"
    )
    source = line(event, seq=7)
    before = time.time_ns()
    (one,) = logs.translate(source)
    log = one.log_record
    assert log.body == source.raw.decode()
    assert log.timestamp == START_NS + 7 * 10**9
    assert before <= (log.observed_timestamp or 0) <= time.time_ns()
    assert log.event_name == "deskwatch.order_rejected"
    assert log.trace_id == int(TRACE, 16)
    assert log.attributes == {
        "deskwatch.kind": "orders",
        "deskwatch.type": "order_rejected",
        "deskwatch.writer": "main",
        "deskwatch.seq": 7,
        "deskwatch.run": "0123456789abcdef",
        "deskwatch.order_id": "o-1",
        "deskwatch.cause": "d-1",
        "deskwatch.symbol": "WETH/USDC",
        "deskwatch.venue": "amber",
    }
    attributes = one.resource.attributes
    assert attributes["service.name"] == "arb-1"
    assert attributes["service.namespace"] == "deskwatch"
    assert attributes["service.instance.id"] == "instance-1"
    assert attributes["host.name"]
    assert record(event, bot="arb-2").resource.attributes["service.name"] == "arb-2"


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        (ev.LogRecorded(message="m", levelname="DEBUG", name="n"), SeverityNumber.DEBUG),
        (ev.LogRecorded(message="m", levelname="WARNING", name="n"), SeverityNumber.WARN),
        (ev.LogRecorded(message="m", levelname="LOUD", name="n"), SeverityNumber.INFO),
        (ev.ErrorOccurred(component="c", kind="k", message="m"), SeverityNumber.ERROR),
        (ev.ErrorOccurred(component="c", kind="k", message="m", levelname="CRITICAL"), SeverityNumber.FATAL),
        (ev.HeartbeatSent(uptime_seconds=1, idle_seconds=0), SeverityNumber.INFO),
    ],
)
def test_severity_follows_the_level(event: ev.Event, severity: SeverityNumber) -> None:
    assert record(event).log_record.severity_number == severity


@pytest.mark.parametrize("trace", [None, "", "not-hex", TRACE.upper(), TRACE[1:], "0" * 32])
def test_what_is_no_trace_id_is_none(trace: str | None) -> None:
    assert record(ev.BotStopped(reason="x", trace=trace)).log_record.trace_id == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"garbage", "json"),
        (b"\xff\xfe", "json"),
        (b'{"ts":1}', "envelope"),
        (b'{"ts":5,"type":"order_filled"}', "fields"),
        (b'{"ts":5,"type":"token_made","name":"x","scope":"read"}', "misplaced"),
    ],
)
def test_a_line_that_is_no_event_is_sent_as_text_with_what_is_wrong(text: bytes, reason: str) -> None:
    (one,) = logs.translate(raw(text, offset=17))
    log = one.log_record
    assert log.event_name == "deskwatch.invalid_line"
    assert log.severity_number == SeverityNumber.ERROR
    assert log.body == text.decode(errors="backslashreplace")
    assert log.attributes is not None
    assert log.attributes["deskwatch.invalid"] == reason
    assert log.attributes["deskwatch.at"] == "1:17"
    assert log.timestamp == (5 if b'"ts":5' in text else None)


@given(st.lists(strategies.lines | strategies.garbage, min_size=1, max_size=5))
def test_any_line_can_be_encoded_and_keeps_its_text(lines: list[bytes]) -> None:
    records = [one for text in lines for one in logs.translate(raw(text))]
    request = encode_logs(records)
    bodies = [
        log.body.string_value for one in request.resource_logs for scope in one.scope_logs for log in scope.log_records
    ]
    assert bodies == [text.decode(errors="backslashreplace") for text in lines]
    request.SerializeToString()
