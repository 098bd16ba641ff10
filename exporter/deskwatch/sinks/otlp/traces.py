"""An order's life as a trace, from the events that carry its `trace`: one span for each thing that has an id.

    opportunity or signal            the moment it was seen
    ├── prediction                   as long as it took
    ├── decision                     as long as it took
    │   └── order                    submitted → last fill, rejection (error), cancellation or expiry (error)
    │       ├── transaction          sent → confirmed or reverted (error)
    │       └── position             opened → closed
    │           └── order            … and so on
    └── opportunity missed

Under which span another lies, its `cause` says; where that names none of this trace, it lies under the first one.
Acknowledgements and fills are events of the order's span. A span is sent when it ends: what is open is remembered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from deskwatch import events as ev
from deskwatch.errors import InvalidLine
from deskwatch.journal import Record, read
from deskwatch.sinks.otlp import identity
from deskwatch.sinks.otlp.open_traces import Attributes, OpenSpan, OpenTrace, OpenTraces
from deskwatch.sinks.otlp.reading import Line
from deskwatch.sinks.otlp.resources import SCOPE, Resources

MAX_TEXT = 256
"""Characters of an attribute."""
MAX_SECONDS = 86400.0
"""A latency beyond is a mistake."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_MOMENTS: dict[type[ev.Event], tuple[str, str]] = {
    ev.SignalRaised: ("signal", ""),
    ev.OpportunityFound: ("opportunity", "opportunity_id"),
    ev.OpportunityMissed: ("opportunity missed", ""),
    ev.PredictionMade: ("prediction", "prediction_id"),
    ev.PredictionResolved: ("prediction resolved", ""),
    ev.DecisionMade: ("decision", "decision_id"),
}
"""Events that are a span each: its name, and which field others name it by; nothing where none does."""
_BEGINS: dict[type[ev.Event], tuple[str, str]] = {
    ev.OrderSubmitted: ("order", "order_id"),
    ev.TransactionSent: ("transaction", "transaction"),
    ev.PositionOpened: ("position", "position_id"),
}
_WITHIN: dict[type[ev.Event], tuple[str, str]] = {
    ev.OrderAcknowledged: ("order", "order_id"),
    ev.OrderFilled: ("order", "order_id"),
}
_ENDS: dict[type[ev.Event], tuple[str, str]] = {
    ev.OrderRejected: ("order", "order_id"),
    ev.OrderCanceled: ("order", "order_id"),
    ev.OrderExpired: ("order", "order_id"),
    ev.TransactionConfirmed: ("transaction", "transaction"),
    ev.TransactionReverted: ("transaction", "transaction"),
    ev.PositionClosed: ("position", "position_id"),
}
_TOLD = _MOMENTS | _BEGINS | _WITHIN | _ENDS
_FAILED = (ev.OrderRejected, ev.OrderExpired, ev.TransactionReverted)
_OUTWARD = frozenset({"order", "transaction"})
_TEXTS = frozenset({"trace", "reasoning", "message"})
"""Fields that are no attribute: the line's log record has them."""


class Traces:
    """The translation of lines to the spans that end there."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._traces = OpenTraces()
        self._memory: msgspec.Raw | None = None

    def memory(self) -> msgspec.Raw:
        """The open spans, and what is known of their traces."""
        if self._memory is None:
            self._memory = self._traces.dump()
        return self._memory

    def remember(self, memory: msgspec.Raw) -> None:
        """Know them again."""
        self._traces.load(memory)
        self._memory = None

    def translate(self, line: Line) -> Sequence[ReadableSpan]:
        """The spans that end with this line, most often none."""
        bot, writer = line.key
        if b'"trace"' not in line.raw:
            return ()
        try:
            record = read(line.raw, bot, writer)
        except InvalidLine:
            return ()  # counted elsewhere, and its log record says so
        event = record.event
        if type(event) not in _TOLD or not identity.trace_id(event.trace) or record.ts <= 0:
            return ()
        assert event.trace is not None  # noqa: S101  it was read as one
        self._memory = None
        trace = self._traces.get(bot, event.trace)
        trace.last = max(trace.last, record.ts)
        spans = [self._finish(trace, *ended) for ended in _fold(trace, record)]
        for one, number, span in self._traces.overdue():
            span.attributes["deskwatch.unfinished"] = True
            spans.append(self._finish(one, number, span, max(span.start, one.last), None))
        return spans

    def _finish(self, trace: OpenTrace, number: int, span: OpenSpan, end: int, failure: str | None) -> ReadableSpan:
        if span.left_out:
            span.attributes["deskwatch.events_left_out"] = span.left_out
        trace_id = identity.trace_id(trace.trace)
        return ReadableSpan(
            name=span.title,
            context=SpanContext(trace_id, number, is_remote=False, trace_flags=_SAMPLED),
            parent=SpanContext(trace_id, span.parent, is_remote=False, trace_flags=_SAMPLED) if span.parent else None,
            resource=self._resources.of_bot(trace.bot),
            attributes=span.attributes,
            events=[SpanEvent(name, attributes, ts) for name, ts, attributes in span.events],
            kind=SpanKind.CLIENT if span.title in _OUTWARD else SpanKind.INTERNAL,
            status=Status(StatusCode.UNSET) if failure is None else Status(StatusCode.ERROR, failure),
            start_time=span.start,
            end_time=max(span.start, end),
            instrumentation_scope=SCOPE,
        )


Ended = tuple[int, OpenSpan, int, str | None]
"""A span that ended: its id, the span, when, and why it failed, if it did."""


def _fold(trace: OpenTrace, record: Record) -> list[Ended]:
    """Take an event into its trace; the spans that ended by it."""
    event = record.event
    kind = type(event)
    title, field = _TOLD[kind]  # type: ignore[index]  # Unknown is not among them, and was asked for
    about = getattr(event, field) if field else f"{record.type} {record.seq} {record.ts}"
    number = identity.span_id(record.bot, identity.trace_id(trace.trace), f"{title} {about}")
    attributes = _attributes(event)
    span = trace.open.get(number)
    if span is None:
        if number in trace.spans.values():
            return []  # it ended before
        span = OpenSpan(title=title, start=_start(record), parent=trace.parent_of(event.cause, number))
        trace.know(about, title, number)
        trace.open[number] = span
        if kind in _MOMENTS:
            span.begin(attributes)
    if kind in _BEGINS:
        if not span.attributes:  # it is new, or another writer's news of it came first
            span.start = min(span.start, _start(record))
            span.begin(attributes)
        return []
    if kind in _WITHIN:
        span.add("fill" if isinstance(event, ev.OrderFilled) else "acknowledged", record.ts, attributes)
        if not getattr(event, "final", False):
            return []
    span.attributes = attributes | span.attributes
    del trace.open[number]
    return [(number, span, record.ts, _failure(event))]


def _start(record: Record) -> int:
    """When what an event tells began, as far as the event alone says."""
    event = record.event
    lasted = getattr(event, "latency_seconds", None) or getattr(event, "inclusion_seconds", None) or 0.0
    return max(1, record.ts - round(lasted * 1e9)) if 0 < lasted < MAX_SECONDS else record.ts


def _failure(event: ev.Event | ev.Unknown) -> str | None:
    """Why what ended with this event failed; None where it did not."""
    if not isinstance(event, _FAILED):
        return None
    if isinstance(event, ev.OrderExpired):
        return "expired"
    return f"{event.reason}: {event.message}"[:MAX_TEXT] if event.message else event.reason[:MAX_TEXT]


def _attributes(event: ev.Event | ev.Unknown) -> Attributes:
    found: Attributes = {}
    for name in event.__struct_fields__:
        value: Any = getattr(event, name)
        if name in _TEXTS or value is None or not isinstance(value, str | int | float):
            continue
        if isinstance(value, float) and not math.isfinite(value):
            continue
        found[f"deskwatch.{name}"] = value[:MAX_TEXT] if isinstance(value, str) else value
    return found
