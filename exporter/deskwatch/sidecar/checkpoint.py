"""Where the sidecar was: positions in every journal and the projections' state, written together.

A checkpoint that is missing, torn or of another version is no checkpoint: the journal is replayed from its start.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from deskwatch import atomic
from deskwatch.journal import Position
from deskwatch.projections import FORMAT, Projections

logger = logging.getLogger(__name__)


class _File(msgspec.Struct, kw_only=True):
    format: int
    positions: list[tuple[str, str, int, int]]
    projections: dict[str, Any]


class Written(NamedTuple):
    """A checkpoint that is on disk."""

    at_seconds: float
    """When it was written, Unix time."""
    bytes: int
    duration_seconds: float | None
    """How long making and writing it took; None where another process did."""


class Checkpoint:
    """The checkpoint file of a home.

    Attributes:
        written: The newest on disk, None where there is none that can be used.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "checkpoint.json"
        self.written: Written | None = None
        self._began = 0.0

    def load(self, projections: Projections) -> dict[tuple[str, str], Position]:
        """Restore the projections; returns the positions to go on from, empty where there is no usable checkpoint."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            file = msgspec.json.decode(data, type=_File)
            if file.format != FORMAT:
                logger.warning("checkpoint is of another version, replaying", extra={"found": file.format})
                return {}
            projections.load(file.projections)
        except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            logger.warning("checkpoint can't be read, replaying", extra={"error": str(error)})
            projections.reset()
            return {}
        self.written = Written(self.path.stat().st_mtime, len(data), None)
        return {(bot, writer): Position(segment, offset) for bot, writer, segment, offset in file.positions}

    def encode(self, projections: Projections, positions: dict[tuple[str, str], Position]) -> bytes:
        """The file's content as of now. Call it between batches, so that state and positions agree."""
        self._began = time.monotonic()
        rows = [(bot, writer, at.segment, at.offset) for (bot, writer), at in positions.items()]
        return msgspec.json.encode(_File(format=FORMAT, positions=rows, projections=projections.dump()))

    def write(self, data: bytes) -> None:
        """Put encoded content on disk, replacing the last.

        Raises:
            OSError: The disk refused.
        """
        atomic.write(self.path, data)
        self.written = Written(time.time(), len(data), time.monotonic() - self._began)
