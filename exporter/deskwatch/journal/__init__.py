"""Events on disk: append-only NDJSON segments, one writer each, followed by whoever wants to know."""

from __future__ import annotations

from deskwatch.journal.follower import Follower
from deskwatch.journal.line import Envelope, Record, read, read_envelope
from deskwatch.journal.position import START, Batch, Position
from deskwatch.journal.writer import Writer
from deskwatch.journal.writer_follower import Memory, WriterFollower

__all__ = [
    "START",
    "Batch",
    "Envelope",
    "Follower",
    "Memory",
    "Position",
    "Record",
    "Writer",
    "WriterFollower",
    "read",
    "read_envelope",
]
