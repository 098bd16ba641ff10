"""What a sink's cursor keeps of the lines before it, to tell whether a journal is still what was read.

A position alone can't tell: after a power cut the disk may have kept less than was read, and a bot that starts before
the sidecar writes other lines across the position. So beside it is kept up to which `seq` each of the last runs was
delivered. A run is one start of a writer, and a journal is only appended to: all that lies before a delivered line was
delivered, too. Reading therefore goes on behind the last line that is known, and what lies before it is not sent twice.

Where no known line is left, all is read again, from the start of the segment (a line without `seq` and `run`) or of the
oldest segment. What may be doubled then: lines of runs longer ago than the last `RUNS`, or without `run`, that are
older than Loki's order window. They go to the late lane, at a new time. The others are repeats, which Loki drops.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Position, names, read_envelope

RUNS = 8
"""Runs of a writer that are kept."""


class Last(msgspec.Struct, frozen=True, array_like=True):
    """The last line before a position: its CRC-32, and what its envelope says; no `run` where that says nothing."""

    crc: int
    run: str = ""
    seq: int = 0


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What is known of the delivered lines of a writer.

    Attributes:
        crc: The last one's CRC-32; None where that is not known.
        runs: The last runs, oldest first, and up to which `seq` each was delivered.
    """

    crc: int | None = None
    runs: tuple[tuple[str, int], ...] = ()

    def followed_by(self, last: Last | None) -> Mark:
        """The mark once lines up to this one are delivered; None where it isn't known which is the last."""
        if last is None:
            return Mark(None, self.runs)
        if not last.run:
            return Mark(last.crc, self.runs)
        seq = max(last.seq, dict(self.runs).get(last.run, 0))
        others = [one for one in self.runs if one[0] != last.run]
        return Mark(last.crc, (*others, (last.run, seq))[-RUNS:])

    def knows(self, line: bytes) -> bool:
        """Whether a line was delivered, or can't be told apart from one that was."""
        last = last_of(line)
        if last.run and self.runs:
            return self._has(last)
        return self.crc is None or self.crc == last.crc

    def find_end(self, folder: Path, position: Position) -> Position:
        """Behind the last line of a journal that was delivered; where all is to be read again, its start.

        Args:
            folder: The writer's.
            position: Up to where it was read, as it was then.

        Raises:
            OSError: The journal can't be read.
        """
        existing = names.segments(folder)
        if not existing:
            return position
        has_segment = position.segment in existing
        if not self.runs:
            return Position(position.segment if has_segment else existing[0], 0)
        newest = max(seq for _, seq in self.runs)
        for segment in reversed(existing):
            if segment > newest or (has_segment and segment > position.segment):
                continue  # it begins with a line that was not delivered
            try:
                file = (folder / names.segment_name(segment)).open("rb")
            except FileNotFoundError:
                continue
            with file:
                if os.fstat(file.fileno()).st_size == 0:
                    continue
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # a segment is long
                    end = self._find_in(data)
            if end:
                return Position(segment, end)
        return Position(existing[0], 0)

    def _find_in(self, data: mmap.mmap) -> int:
        """Bytes of a segment up to the end of the last line that was delivered, 0 where there is none."""
        runs = [run.encode() for run, _ in self.runs]
        border = data.rfind(b"\n") + 1  # a torn line is none
        while border:
            at = max(data.rfind(run, 0, border) for run in runs)
            if at < 0:
                return 0
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at) + 1
            if self._has(last_of(data[start : end - 1])):
                return end
            border = start
        return 0

    def _has(self, last: Last) -> bool:
        return any(run == last.run and last.seq <= seq for run, seq in self.runs)


def last_of(line: bytes) -> Last:
    """A line as the last of what was read."""
    try:
        envelope = read_envelope(line)
    except InvalidLine:
        return Last(zlib.crc32(line))
    if envelope.seq is None or not envelope.run:
        return Last(zlib.crc32(line))
    return Last(zlib.crc32(line), envelope.run, envelope.seq)


class Marked:
    """The memory of a writer's reader (`journal.Memory`): what the mark at its position knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.position = START
        self.mark = Mark()

    def knows(self, bot: str, writer: str, line: bytes) -> bool:  # noqa: ARG002  a memory is asked for one of many
        """Whether a line was delivered, or can't be told apart."""
        return self.mark.knows(line)

    def next_seq(self, bot: str, writer: str) -> int:  # noqa: ARG002  as above
        """One more than the last `seq` that was delivered; 0 where the journal was made anew since.

        Retention removes the oldest segments first. So where there are older ones than the position's, which is gone,
        it was not retention that removed that.
        """
        existing: Sequence[int] = names.segments(self._folder)
        if not self.mark.runs or (existing and existing[0] < self.position.segment):
            return 0
        return self.mark.runs[-1][1] + 1
