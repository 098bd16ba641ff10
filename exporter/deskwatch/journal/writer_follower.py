"""Following one writer's journal as it grows: whole lines only, in order, none skipped.

A segment is only ever appended to, and removed whole once it was read. Whatever else happens to it is a fault, told in
the next batch:

- `truncated`: it is shorter than what was read of it. What never was a whole line doesn't count: the writer cuts off a
  torn last line when it opens its journal.
- `replaced`: under its name is another file, or other bytes lie before the position.
- `vanished`: it is gone, and was not read to its end or is the newest. An open segment is read to its end even if it is
  gone, so one that is removed by retention while it is read is no fault.

How reading goes on depends on whether somebody remembers what was read (`Memory`). If not: at the last whole line of
what is there, as if all before it had been read. If so: at that segment's first line, in batches that are marked
`again`, so that nothing is missed that a restarted writer has put where other lines were.

Where the newest segments are gone, the one before them is the journal's end now, and where a writer goes on. As long as
the process holds a segment open that is gone, it reads on there, until a newer segment appears or an older one grows.
Where nothing is left at all the position is kept; reading goes on there should the segment come back, or else with the
first segment that appears.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from pathlib import Path
from typing import Protocol

from deskwatch.journal import names
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.journal.position import START, Batch, Position

logger = logging.getLogger(__name__)

READ_BYTES = 512 * 1024
"""Most that one read of one writer returns."""
LAST_BYTES = 64
"""Bytes before the position that are compared at each read; the last line's CRC is among them."""


class Memory(Protocol):
    """Whoever remembers what was read, across restarts too."""

    def knows(self, bot: str, writer: str, line: bytes) -> bool:
        """Whether a line was read, or can't be told apart."""

    def next_seq(self, bot: str, writer: str) -> int:
        """One more than the last `seq` that was read."""


class WriterFollower:
    """Reads one writer's lines in order."""

    def __init__(
        self, home: Path, bot: str, writer: str, position: Position = START, memory: Memory | None = None
    ) -> None:
        self.bot = bot
        self.writer = writer
        self.folder = names.writer_folder(home, bot, writer)
        self.position = position
        self._memory = memory
        self._fd = -1
        self._opened = -1
        self._faults: list[str] = []
        self._again = START  # up to here lines are read again
        self._last: tuple[Position, bytes] = (START, b"")  # the bytes that were read before this position
        self._left: Position | None = None  # the newest segments are gone: the journal's end when that was noticed

    def read(self, max_bytes: int = READ_BYTES) -> Batch | None:
        """The next whole lines, or None where there are none yet.

        Raises:
            OSError: The journal can't be read. The position is kept.
        """
        while self._at_segment():
            data = self._pread(max_bytes)
            following = None
            if self._is_other():
                continue
            if b"\n" not in data:
                if not self._is_as_left(len(data)):
                    continue
                following = self._next_segment()
                if following is not None:
                    data = self._pread(max_bytes)  # this segment is complete now: a line seen half may be whole
            if b"\n" in data or len(data) >= MAX_LINE_BYTES or (data and following is not None):
                return self._batch(data, following)
            if data or following is None:
                break
            self._move_to(Position(following, 0))
        return self._batch(b"") if self._faults else None

    def backlog_bytes(self) -> int:
        """Bytes of the journal that were not read yet."""
        total = 0
        for first_seq, size in names.sizes(self.folder).items():
            if first_seq < self.position.segment:
                continue
            total += size - (self.position.offset if first_seq == self.position.segment else 0)
        return max(total, 0)

    def end(self) -> Position:
        """Behind the last whole line that the writer has written by now."""
        for segment in reversed(names.segments(self.folder)):
            with contextlib.suppress(FileNotFoundError), self._path(segment).open("rb") as file:
                return Position(segment, _whole(file.fileno(), file.seek(0, os.SEEK_END)))
        return START

    def close(self) -> None:
        """Close the segment that is open. The follower can be used again."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = self._opened = -1

    def _pread(self, max_bytes: int) -> bytes:
        wanted = max(max_bytes, MAX_LINE_BYTES)
        if self._is_again():
            wanted = min(wanted, self._again.offset - self.position.offset)
        return os.pread(self._fd, wanted, self.position.offset)

    def _is_again(self) -> bool:
        return self.position.segment == self._again.segment and self.position.offset < self._again.offset

    def _batch(self, data: bytes, following: int | None = None) -> Batch:
        """The whole lines of what was read; an endless or torn line is passed on as it is, to be counted as invalid.

        A line that is too long is passed on in pieces of MAX_LINE_BYTES, each a batch of its own, so that it is cut,
        and counted, alike by whoever reads it while it is written and by whoever reads it later.
        """
        start, again = self.position, self._is_again()
        lines, size = _whole_lines(data)
        if size:
            self.position = Position(start.segment, start.offset + size)
        elif following is not None and len(data) < MAX_LINE_BYTES:  # torn; not to be read again after a restart
            lines = [data]
            self.position = Position(following, 0)
        else:
            data = data[:MAX_LINE_BYTES]
            lines = [data] if data else []
            self.position = Position(start.segment, start.offset + len(data))
        if self.position.segment == start.segment and data:
            self._last = (self.position, data[: self.position.offset - start.offset][-LAST_BYTES:])
        faults, self._faults = tuple(self._faults), []
        return Batch(
            bot=self.bot,
            writer=self.writer,
            lines=lines,
            start=start,
            position=self.position,
            faults=faults,
            again=again,
        )

    def _path(self, segment: int) -> Path:
        return self.folder / names.segment_name(segment)

    def _next_segment(self) -> int | None:
        return next((first for first in names.segments(self.folder) if first > self.position.segment), None)

    def _move_to(self, position: Position) -> None:
        self.position = position
        self._left = None

    def _at_segment(self) -> bool:
        """Have the position's segment open; move on where it is gone. False where there is nowhere to go."""
        while self._opened != self.position.segment or self._fd < 0:
            self.close()
            segment = self.position.segment
            if segment > 0:
                with contextlib.suppress(FileNotFoundError):
                    self._fd = os.open(self._path(segment), os.O_RDONLY | os.O_CLOEXEC)
                    self._opened = segment
                    self._left = None
                    self._check_position()
                    return True
            following = self._next_segment()
            if following is not None:
                if segment > 0 and self._left is None and not self._was_read_up_to(following):
                    self._fault("vanished")
                self._move_to(Position(following, 0))
            elif segment == 0 or not self._has_new_end():
                return False
        return True

    def _was_read_up_to(self, following: int) -> bool:
        return self._memory is not None and self._memory.next_seq(self.bot, self.writer) >= following

    def _check_position(self) -> None:
        """Find out whether what lies before the position is what was read: it may not be, after a power loss, say."""
        size, offset = os.fstat(self._fd).st_size, self.position.offset
        if offset > size:
            self._fault("truncated")
            self._go_back(size)
            return
        start = max(0, offset - MAX_LINE_BYTES)
        before = os.pread(self._fd, offset - start, start)
        if not before or (len(before) == MAX_LINE_BYTES and b"\n" not in before):
            return  # nothing, or a line without end, which is passed on in pieces
        if not before.endswith(b"\n") or not self._knows_line_before(self._fd, offset):
            self._fault("replaced")
            self._go_back(size)

    def _knows_line_before(self, fd: int, offset: int) -> bool:
        """Whether the line that ends there was read, as far as anybody can tell."""
        start = max(0, offset - MAX_LINE_BYTES)
        before = os.pread(fd, offset - start, start)
        line_start = before.rfind(b"\n", 0, -1) + 1
        if self._memory is None or not before or (line_start == 0 and start > 0):
            return True
        return self._memory.knows(self.bot, self.writer, before[line_start:-1])

    def _is_other(self) -> bool:
        """Whether other bytes lie before the position than were read: the segment was cut and written anew."""
        position, last = self._last
        if position != self.position or os.pread(self._fd, len(last), position.offset - len(last)) == last:
            return False
        size = os.fstat(self._fd).st_size
        self._fault("truncated" if size < position.offset else "replaced")
        self._go_back(size)
        return True

    def _is_as_left(self, torn: int) -> bool:
        """Whether the open segment is what it was, now that it has no more lines; else reading was moved elsewhere.

        Args:
            torn: Bytes behind the position that could be read, without a newline.
        """
        held = os.fstat(self._fd)
        if held.st_size > self.position.offset + torn:
            os.pread(self._fd, 1, self.position.offset + torn)  # raises if it is not the file that ended, but the disk
        if held.st_size < self.position.offset:
            self._fault("truncated")
            self._go_back(held.st_size)
            return False
        try:
            named = os.stat(self._path(self._opened))
        except FileNotFoundError:
            return self._next_segment() is not None or not self._has_new_end()
        if (named.st_ino, named.st_dev) == (held.st_ino, held.st_dev):
            self._left = None
            return True
        self.close()
        if self._left is None:
            self._fault("replaced")
        self._fd = os.open(self._path(self.position.segment), os.O_RDONLY | os.O_CLOEXEC)
        self._opened, self._left = self.position.segment, None
        self._go_back(os.fstat(self._fd).st_size)
        return False

    def _has_new_end(self) -> bool:
        """The newest segments are gone, the position's too: whether reading goes on elsewhere now."""
        with contextlib.suppress(FileNotFoundError):
            os.listdir(self.folder)  # one that can't be listed is not empty
        end = self.end()
        if self._left is None:
            self._fault("vanished")
            self._left = end
            if end == START or (self._fd >= 0 and self._has_read_to(end)):
                return False
        elif end <= self._left:
            return False
        self.close()
        left = self._left
        self._move_to(left)
        if self._memory is not None and left != START:
            self._again = left
            self._move_to(Position(left.segment, 0))
        return True

    def _has_read_to(self, end: Position) -> bool:
        with self._path(end.segment).open("rb") as file:
            return self._knows_line_before(file.fileno(), end.offset)

    def _go_back(self, size: int) -> None:
        """The open segment, now of this size, is not as it was left: go on where nothing is missed."""
        self._last = (START, b"")
        if self._memory is None:
            self.position = Position(self._opened, _whole(self._fd, min(self.position.offset, size)))
        else:
            self._again = Position(self._opened, _whole(self._fd, size))
            self.position = Position(self._opened, 0)

    def _fault(self, reason: str) -> None:
        self._faults.append(reason)
        logger.warning(
            "the journal is not as it was left",
            extra={
                "bot": self.bot,
                "writer": self.writer,
                "reason": reason,
                "segment": self.position.segment,
                "offset": self.position.offset,
            },
        )


def _whole_lines(data: bytes) -> tuple[list[bytes], int]:
    """The lines that end within the data, up to the first that is too long, and how many bytes they are."""
    end = data.rfind(b"\n")
    if end < 0:
        return [], 0
    lines = data[:end].split(b"\n")
    if max(map(len, lines)) < MAX_LINE_BYTES:
        return lines, end + 1
    found = list(itertools.takewhile(lambda line: len(line) < MAX_LINE_BYTES, lines))
    return found, sum(len(line) + 1 for line in found)


def _whole(fd: int, size: int) -> int:
    """Bytes of the first `size` of a file that are whole lines."""
    at = size
    while at > 0:
        start = max(0, at - MAX_LINE_BYTES)
        newline = os.pread(fd, at - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0
