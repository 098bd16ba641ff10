"""Reading a writer's journal from a place back to its beginning: the newest lines first, a block at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from deskwatch.journal import names
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.journal.position import Position


class Backwards:
    """Lines of one writer that lie before a position, with the place of each.

    A line that is too long to be an event is left out. A segment that goes meanwhile is the journal's beginning:
    retention removes the oldest first.

    Attributes:
        position: What lies from here on was read, or was never asked for.
        is_done: There is nothing before the position.
    """

    def __init__(self, folder: Path, position: Position) -> None:
        self._folder = folder
        self.position = position
        self.is_done = False
        self._is_within_long = False

    def read(self, passes_over: Callable[[bytes], bool]) -> list[tuple[Position, bytes]]:
        """The next block's lines, the newest first; possibly none, though there is more.

        Args:
            passes_over: Given a segment's first line, whether the whole segment is passed over.

        Raises:
            OSError: The journal can't be read.
        """
        if self.position.offset == 0:
            self._step_back()
            if not self.is_done and passes_over(self._first_line()):
                self.position = Position(self.position.segment, 0)
                return []
        segment, end = self.position.segment, self.position.offset
        if self.is_done or end == 0:
            return []
        start = max(0, end - MAX_LINE_BYTES)
        data = self._pread(end - start, start)
        if not data:  # it has become shorter
            self.position = Position(segment, start)
        return list(self._lines(data, start))[::-1]

    def _lines(self, data: bytes, start: int) -> Iterator[tuple[Position, bytes]]:
        """The lines that begin in a block, oldest first; the position is moved before them."""
        if not data:
            return
        segment = self.position.segment
        first = 0 if start == 0 else data.find(b"\n", 0, len(data) - 1) + 1
        if start > 0 and first == 0:  # a line without end
            self.position = Position(segment, start)
            self._is_within_long = True
            return
        self.position = Position(segment, start + first)
        lines = data[first:].split(b"\n")
        tail = lines.pop()
        if tail and not self._is_within_long:
            lines.append(tail)  # torn, and followed by another segment
        self._is_within_long = False
        offset = start + first
        for line in lines:
            yield Position(segment, offset), line
            offset += len(line) + 1

    def _step_back(self) -> None:
        """Go to the end of the segment before."""
        for segment in reversed(names.segments(self._folder)):
            if segment < self.position.segment:
                try:
                    size = (self._folder / names.segment_name(segment)).stat().st_size
                except FileNotFoundError:
                    break
                self.position = Position(segment, size)
                self._is_within_long = False
                return
        self.is_done = True

    def _first_line(self) -> bytes:
        return self._pread(MAX_LINE_BYTES, 0).partition(b"\n")[0]

    def _pread(self, size: int, offset: int) -> bytes:
        path = self._folder / names.segment_name(self.position.segment)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self.is_done = True
            return b""
        try:
            return os.pread(fd, size, offset)
        finally:
            os.close(fd)
