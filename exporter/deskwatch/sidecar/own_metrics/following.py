"""How far the journals are followed."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """Up to where the counters of this very scrape go: `deskwatch verify` counts the journal up to here."""
    feed = parts.feed
    segment = Gauge("deskwatch_followed_segment", "Segment that the figures go up to.", ("bot", "writer"))
    offset = Gauge("deskwatch_followed_offset_bytes", "Bytes of it that are folded in.", ("bot", "writer"))
    unreadable = Gauge(
        "deskwatch_journal_unreadable", "1 while a journal can't be read; its figures stand still.", ("bot", "writer")
    )
    for key, position in feed.positions.items():
        segment.set(key, position.segment)
        offset.set(key, position.offset)
        unreadable.set(key, 0)
    for key in feed.unreadable:
        unreadable.set(key, 1)
    return [segment, offset, unreadable]
