"""What is remembered of traces until their spans end: it is kept with the sink's cursor, and bounded.

Kept there, and not read again from the first event of the oldest open order: an order may be open for weeks, and a
cursor that waited for it would hold back retention, and send all later spans again after each start.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_FINISHED = 200
"""Traces without an open span that are remembered, for events that come later and name a cause among them."""
MAX_OPEN = 1000
"""Open spans; beyond, the oldest is sent as it is."""
MAX_CHARACTERS = 2_000_000
"""Characters in open spans and their traces' ids, about; beyond, the oldest is sent as it is. It is written with each
batch, and a bot may put more into one event than any limit of numbers allows for."""
MAX_SPANS = 64
"""Spans of one trace that are remembered."""
MAX_ID = 256
"""Characters of an id that are remembered."""
MAX_EVENTS = 32
"""Events of one span; further ones are counted."""

LOOK_EVERY = 50
"""Events between two looks at the limits."""

Attributes = dict[str, Any]
"""Text, numbers and booleans."""


class OpenSpan(msgspec.Struct, kw_only=True):
    """A span that has begun.

    Attributes:
        title: Its name.
        start: ns since 1970.
        parent: Span id; 0 where there is none.
        attributes: Its attributes.
        events: Name, ns, attributes.
        left_out: Events beyond the limit.
        size: Characters that it takes, about.
    """

    title: str
    start: int
    parent: int = 0
    attributes: Attributes = {}
    events: list[tuple[str, int, Attributes]] = []
    left_out: int = 0
    size: int = 0

    def begin(self, attributes: Attributes) -> None:
        """Take the attributes of the event that it begins with."""
        self.attributes = attributes
        self.size += _size(attributes)

    def add(self, name: str, ts: int, attributes: Attributes) -> None:
        """Add an event."""
        if len(self.events) < MAX_EVENTS:
            self.events.append((name, ts, attributes))
            self.size += _size(attributes)
        else:
            self.left_out += 1


class OpenTrace(msgspec.Struct, kw_only=True):
    """What is known of one trace.

    Attributes:
        bot: Whose.
        trace: 32 hex digits.
        root: Id of its first span.
        spans: Id of what a span is about (an order's, a decision's …) → span id; newest last.
        open: Span id → the span.
        last: Time of its newest event, ns.
        size: Characters that `spans` takes, about.
    """

    bot: str
    trace: str
    root: int = 0
    spans: dict[str, int] = {}
    open: dict[int, OpenSpan] = {}
    last: int = 0
    size: int = 0

    def know(self, about: str, title: str, span: int) -> None:
        """Remember a span, so that others can name what it is about as their cause; the first of that id is meant."""
        self.root = self.root or span
        about = about[:MAX_ID]
        about = about if about not in self.spans else f"{title} {about}"
        self.size += 0 if about in self.spans else len(about)
        self.spans[about] = span
        if len(self.spans) > MAX_SPANS:
            oldest = next(iter(self.spans))
            del self.spans[oldest]
            self.size -= len(oldest)

    def parent_of(self, cause: str | None, span: int) -> int:
        """The span that a new one belongs under: its cause's, or else the first of the trace; 0 for that itself."""
        known = self.spans.get(cause[:MAX_ID]) if cause is not None else None
        parent = self.root if known is None else known
        return 0 if parent == span else parent


class OpenTraces:
    """All traces that are remembered, the one with the oldest news first."""

    def __init__(self) -> None:
        self._traces: dict[tuple[str, str], OpenTrace] = {}
        self._news = 0

    def get(self, bot: str, trace: str) -> OpenTrace:
        """A trace, which has news now; a new one where it is not known."""
        found = self._traces.pop((bot, trace), None) or OpenTrace(bot=bot, trace=trace)
        self._traces[bot, trace] = found
        return found

    def overdue(self) -> list[tuple[OpenTrace, int, OpenSpan]]:
        """Forget what is beyond the limits; the open spans among it, with their traces and ids.

        It looks now and then: what is beyond until then is little, and counting takes longer than folding an event.
        """
        self._news += 1
        if self._news % LOOK_EVERY:
            return []
        finished = [key for key, one in self._traces.items() if not one.open]
        for key in finished[: max(0, len(finished) - MAX_FINISHED)]:
            del self._traces[key]
        found: list[tuple[OpenTrace, int, OpenSpan]] = []
        unfinished = [one for one in self._traces.values() if one.open]
        surplus = sum(len(one.open) for one in unfinished) - MAX_OPEN
        size = sum(one.size + sum(span.size for span in one.open.values()) for one in unfinished)
        for one in unfinished:
            while one.open and (surplus > len(found) or size > MAX_CHARACTERS):
                span = next(iter(one.open))
                found.append((one, span, one.open.pop(span)))
                size -= found[-1][2].size + (0 if one.open else one.size)
        return found

    def dump(self) -> msgspec.Raw:
        """All of it, as JSON."""
        return msgspec.Raw(msgspec.json.encode(list(self._traces.values())))

    def load(self, memory: msgspec.Raw) -> None:
        """Take it back; of another version's nothing is taken."""
        try:
            known = msgspec.json.decode(memory, type=list[OpenTrace] | None) or []
        except msgspec.DecodeError:
            known = []
        self._traces = {(one.bot, one.trace): one for one in known}


def _size(attributes: Attributes) -> int:
    return sum(len(name) + (len(value) if isinstance(value, str) else 8) for name, value in attributes.items())
