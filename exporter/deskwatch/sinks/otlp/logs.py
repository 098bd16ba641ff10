"""A journal line as an OTLP log record. Its body is the line, byte for byte; one that is no event is sent as text."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from deskwatch.errors import InvalidLine
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.journal import Record, read, read_envelope
from deskwatch.projections.activity import level_of
from deskwatch.sinks.otlp import identity
from deskwatch.sinks.otlp.reading import Line
from deskwatch.sinks.otlp.resources import SCOPE, Resources

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_IDS = (
    "cause",
    "order_id",
    "decision_id",
    "prediction_id",
    "position_id",
    "opportunity_id",
    "command_id",
    "transaction",
    "provider",
    "symbol",
    "strategy",
    "venue",
)
"""Fields of events that are attributes, as `deskwatch.<field>`."""
_nothing = Context()


class Logs:
    """The translation of lines to log records: each line gives one."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def memory(self) -> msgspec.Raw:
        """A line says all that its record needs."""
        return msgspec.Raw(b"null")

    def remember(self, memory: msgspec.Raw) -> None:
        """There is nothing to know."""

    def translate(self, line: Line) -> list[ReadableLogRecord]:
        """The line's record."""
        bot, writer = line.key
        try:
            record = read(line.raw, bot, writer)
        except InvalidLine as error:
            log = _as_text(line, error)
        else:
            log = _as_event(line, record)
        return [ReadableLogRecord(log_record=log, resource=self._resources.of_bot(bot), instrumentation_scope=SCOPE)]


def _as_event(line: Line, record: Record) -> LogRecord:
    level = level_of(record)
    attributes: dict[str, Any] = {
        "deskwatch.kind": record.kind,
        "deskwatch.type": record.type,
        "deskwatch.writer": record.writer,
    }
    _place(attributes, line, record.seq, record.run)
    for name in _IDS:
        value = getattr(record.event, name, None)
        if value:
            attributes[f"deskwatch.{name}"] = value
    trace = identity.trace_id(record.event.trace)
    context = _nothing
    if trace:
        span = NonRecordingSpan(SpanContext(trace, 0, is_remote=True, trace_flags=SAMPLED))
        context = set_span_in_context(span, _nothing)
    return LogRecord(
        timestamp=record.ts if record.ts > 0 else None,
        observed_timestamp=time.time_ns(),
        context=context,
        severity_text=level.upper(),
        severity_number=SEVERITIES[level],
        body=record.raw.decode(),
        attributes=attributes,
        event_name=f"deskwatch.{record.type}",
    )


def _as_text(line: Line, error: InvalidLine) -> LogRecord:
    """A line that is no event. Where its envelope is sound it has a time and a type; else only when it was found."""
    attributes: dict[str, Any] = {"deskwatch.writer": line.key[1], "deskwatch.invalid": error.reason}
    timestamp = None
    name = "deskwatch.invalid_line"
    try:
        envelope = read_envelope(line.raw)
    except InvalidLine:
        _place(attributes, line, None, None)
    else:
        attributes |= {"deskwatch.kind": KINDS.get(envelope.type, UNKNOWN_KIND), "deskwatch.type": envelope.type}
        _place(attributes, line, envelope.seq, envelope.run)
        timestamp = envelope.ts if envelope.ts > 0 else None
    return LogRecord(
        timestamp=timestamp,
        observed_timestamp=time.time_ns(),
        context=_nothing,
        severity_text="ERROR",
        severity_number=SeverityNumber.ERROR,
        body=line.raw.decode(errors="backslashreplace"),
        attributes=attributes,
        event_name=name,
    )


def _place(attributes: dict[str, Any], line: Line, seq: int | None, run: str | None) -> None:
    """What tells the line from all others: its number, or else where it lies."""
    if seq is not None:
        attributes["deskwatch.seq"] = seq
    else:
        attributes["deskwatch.at"] = f"{line.at.segment}:{line.at.offset}"
    if run:
        attributes["deskwatch.run"] = run
