"""A journal line as a Loki entry: its stream's labels, its time, and its structured metadata.

Labels are few and bounded: `service_name, bot, kind, lane`. Ids, level and type are structured metadata, which costs no
stream. The line itself is the journal's, byte for byte.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.events import EVENTS, KINDS, UNKNOWN_KIND
from deskwatch.journal import Envelope, Position, read, read_envelope
from deskwatch.journal.line import _FROM_SIDECAR, MAX_DEPTH, MAX_LINE_BYTES, check_crc
from deskwatch.journal.names import CONTROL
from deskwatch.projections.activity import level_of, level_of_event

SERVICE = "deskwatch"
LIVE = "live"
LATE = "late"
EVENT_TS = "event_ts"
"""Metadata of a late entry: the event's own time, ns, as text."""
AT = "at"
"""Metadata of an entry whose line has no `seq`: its place in the journal, which tells it from a line like it."""
HAPPENED = "happened_timestamp_seconds"
"""Metadata of an event that was told noticeably later than it happened: when that was, Unix time, as text."""
_METADATA = (
    "trace",
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

Stream = tuple[str, str, str]
"""Bot, kind, lane."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a push, and the stream it belongs to."""

    stream: Stream
    ts: int
    line: str
    metadata: dict[str, str]

    @property
    def event_ts(self) -> int:
        """The event's own time, whatever the lane; ns."""
        return int(self.metadata.get(EVENT_TS, self.ts))


def _whole_line_classes() -> Any:  # a union made at run time has no static type
    """Each event's class with the envelope's members added, so that one pass over a line reads all of it."""
    envelope = {one.name: one for one in msgspec.structs.fields(Envelope) if one.name != "type"}
    members: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (name, one.type) if one.required else (name, one.type, one.default) for name, one in envelope.items()
    ]
    made = [
        msgspec.defstruct(
            f"{cls.__name__}Line", members, bases=(cls,), frozen=True, kw_only=True, tag_field="type", tag=tag
        )
        for tag, cls in EVENTS.items()
        if not envelope.keys() & set(cls.__struct_fields__)
    ]
    return functools.reduce(operator.or_, made)


_lines = msgspec.json.Decoder(_whole_line_classes(), strict=False)
_fields: dict[type, tuple[str, ...]] = {}
"""Which of _METADATA a class has."""


def as_entry(line: bytes, bot: str, writer: str, at: Position | None = None) -> Entry:
    """A journal line as an entry of the live lane. One with a sound envelope is shipped even if its fields are not.

    Args:
        line: Without its newline.
        bot: Whose journal.
        writer: Which writer of it.
        at: Where the line lies, for lines without `seq`.

    Raises:
        InvalidLine: It has no sound envelope, so it has no time to be stored at.
    """
    try:
        event = _lines.decode(line)
        text = line.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _as_odd_entry(line, bot, writer, at)
    kind = event.__struct_config__.tag
    if (
        len(line) >= MAX_LINE_BYTES
        or (kind in _FROM_SIDECAR) is not (writer == CONTROL)
        or line.count(b"[") + line.count(b"{") > MAX_DEPTH
        or (event.crc is not None and not check_crc(line, event.crc))
    ):
        return _as_odd_entry(line, bot, writer, at)
    metadata = {"type": kind, "writer": writer, "level": level_of_event(kind, event)}
    _identify(metadata, event.seq, at)
    _describe(metadata, event)
    return Entry(stream=(bot, KINDS[kind], LIVE), ts=event.ts, line=text, metadata=metadata)


def _as_odd_entry(line: bytes, bot: str, writer: str, at: Position | None) -> Entry:
    """A line of an unknown type, or with a fault: read step by step, to say which."""
    try:
        record = read(line, bot, writer)
    except InvalidLine as error:
        envelope = read_envelope(line)
        kind = KINDS.get(envelope.type, UNKNOWN_KIND)
        metadata = {"type": envelope.type, "writer": writer, "level": "error", "invalid": error.reason}
        _identify(metadata, envelope.seq, at)
        return Entry(stream=(bot, kind, LIVE), ts=envelope.ts, line=line.decode(), metadata=metadata)
    metadata = {"type": record.type, "writer": writer, "level": level_of(record)}
    _identify(metadata, record.seq, at)
    _describe(metadata, record.event)
    return Entry(stream=(bot, record.kind, LIVE), ts=record.ts, line=line.decode(), metadata=metadata)


def as_late(entry: Entry, ts: int) -> Entry:
    """The entry in the late lane, at a time that Loki takes, carrying the event's own."""
    bot, kind, _ = entry.stream
    metadata = {**entry.metadata, EVENT_TS: str(entry.event_ts)}
    return Entry(stream=(bot, kind, LATE), ts=ts, line=entry.line, metadata=metadata)


def labels(stream: Stream) -> dict[str, str]:
    """A stream's labels."""
    bot, kind, lane = stream
    return {"service_name": SERVICE, "bot": bot, "kind": kind, "lane": lane}


def _identify(metadata: dict[str, str], seq: int | None, at: Position | None) -> None:
    if seq is not None:
        metadata["seq"] = str(seq)
    elif at is not None:
        metadata[AT] = f"{at.segment}:{at.offset}"


def _describe(metadata: dict[str, str], event: msgspec.Struct) -> None:
    cls = type(event)
    names = _fields.get(cls)
    if names is None:
        names = _fields[cls] = tuple(name for name in _METADATA if name in cls.__struct_fields__)
    for name in names:
        value = getattr(event, name)
        if value:
            metadata[name] = value
    happened = getattr(event, HAPPENED, None)
    if happened is not None:
        metadata[HAPPENED] = f"{happened:.3f}"
