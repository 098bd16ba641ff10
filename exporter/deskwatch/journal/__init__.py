"""Events on disk: append-only NDJSON segments, one writer each, followed by whoever wants to know."""

from __future__ import annotations

from deskwatch.journal.follower import START, Batch, Follower, Position, WriterFollower
from deskwatch.journal.line import Envelope, Record, read, read_envelope
from deskwatch.journal.writer import Writer

__all__ = [
    "START",
    "Batch",
    "Envelope",
    "Follower",
    "Position",
    "Record",
    "Writer",
    "WriterFollower",
    "read",
    "read_envelope",
]
