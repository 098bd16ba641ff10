"""A journal line as a Loki entry: its stream's labels, its time, and its structured metadata.

Labels are few and bounded: `service_name, bot, kind, lane`. Ids, level and type are structured metadata, which costs no
stream. The line itself is the journal's, byte for byte.
"""

from __future__ import annotations

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.journal import read, read_envelope
from deskwatch.projections.activity import level_of

SERVICE = "deskwatch"
LIVE = "live"
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


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a push, and the stream it belongs to."""

    stream: Stream
    ts: int
    line: str
    metadata: dict[str, str]


def as_entry(line: bytes, bot: str, writer: str) -> Entry:
    """A journal line as an entry. A line whose envelope is sound is shipped even if its fields are not.

    Raises:
        InvalidLine: It has no sound envelope, so it has no time to be stored at.
    """
    try:
        record = read(line, bot, writer)
    except InvalidLine as error:
        envelope = read_envelope(line)
        kind = KINDS.get(envelope.type, UNKNOWN_KIND)
        metadata = {"type": envelope.type, "writer": writer, "level": "error", "invalid": error.reason}
        return Entry(stream=(bot, kind, LIVE), ts=envelope.ts, line=line.decode(), metadata=metadata)
    metadata = {"type": record.type, "writer": writer, "level": level_of(record)}
    if record.seq is not None:
        metadata["seq"] = str(record.seq)
    for name in _METADATA:
        value = getattr(record.event, name, None)
        if value:
            metadata[name] = value
    return Entry(stream=(bot, record.kind, LIVE), ts=record.ts, line=line.decode(), metadata=metadata)


def labels(stream: Stream) -> dict[str, str]:
    """A stream's labels."""
    bot, kind, lane = stream
    return {"service_name": SERVICE, "bot": bot, "kind": kind, "lane": lane}
