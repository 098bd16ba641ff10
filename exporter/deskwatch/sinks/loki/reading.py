"""Reading the journals for a push: from where the cursor stands, and beside that from where live lines overtake.

Each has a reader of its own, which compares what lies before it with the cursor's mark. Where a journal is not what was
read, the writer is noted as faulty, and nothing of it is returned until `find_return` was asked where to go on.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Batch, Position, WriterFollower, names
from deskwatch.sinks.cursor import Cursor, Key, Part
from deskwatch.sinks.loki.entries import Entry, as_entry
from deskwatch.sinks.marks import Mark, Marked, last_of


class Item(msgspec.Struct, kw_only=True, gc=False):
    """One line of a push.

    Attributes:
        part: Where it was read.
        index: The how manieth of the part it is.
        at: Where it lies in the journal.
        line: As it was written.
        entry: As Loki gets it; None for a line that has no time to be stored at.
        fault: Why it has none.
        is_done: Loki has it, or the quarantine.
    """

    part: Part
    index: int
    at: Position
    line: bytes
    entry: Entry | None = None
    fault: str = ""
    is_done: bool = False


class Reading(msgspec.Struct, kw_only=True):
    """What was read of one writer for a push, before it is decided how much of it goes."""

    part: Part
    items: list[Item]


class Readers:
    """Reads journals behind the cursor, and ahead of it.

    Attributes:
        faulty: Writers whose journal is not what was read.
    """

    def __init__(self, home: Path, cursor: Cursor) -> None:
        self._home = home
        self._cursor = cursor
        self._readers: dict[tuple[Key, bool], tuple[WriterFollower, Marked]] = {}
        self._prefetched: dict[tuple[Key, bool], tuple[Position, Reading | None]] = {}
        self.faulty: set[Key] = set()

    def read(self, key: Key, position: Position, share: int, *, is_ahead: bool = False) -> Reading | None:
        """The lines at a position, about `share` bytes of them; None where there are none, or the writer is faulty.

        Raises:
            OSError: The journal can't be read.
        """
        at, reading = self._prefetched.pop((key, is_ahead), (None, None))
        if at == position and reading is not None:
            return reading
        return self._read(key, position, share, is_ahead=is_ahead)

    def read_part(self, part: Part) -> list[Item]:
        """The lines of a part as it was planned; none where they are not what they were.

        Raises:
            OSError: The journal can't be read.
        """
        key = (part.bot, part.writer)
        reading = self._read(
            key, part.start, max(part.end.offset - part.start.offset, 1), is_ahead=part.is_ahead, part=part
        )
        if reading is None or reading.part.start != part.start or reading.part.end < part.end:
            return []
        items = [item for item in reading.items if item.at < part.end]
        if part.last is not None and (not items or last_of(items[-1].line) != part.last):
            return []
        for item in items:
            item.part = part
        return items

    def prefetch(self, share: int) -> None:
        """Read what comes behind the plan's parts, while these are on their way."""
        for part in self._cursor.plan:
            if part.end.offset - part.start.offset < share // 2:
                continue  # the journal's end, or what the order forbids for now
            key = (part.bot, part.writer)
            with contextlib.suppress(OSError):  # the next plan meets it again, and tells
                self._prefetched[key, part.is_ahead] = (
                    part.end,
                    self._read(key, part.end, share, is_ahead=part.is_ahead, part=part),
                )

    def forget(self) -> None:
        """Drop what was read ahead of time."""
        self._prefetched.clear()

    def moved_to(self, key: Key) -> Position:
        """Where the last `read` of a writer's backlog went to, which found no line."""
        return self._reader(key, is_ahead=False)[0].position

    def end(self, key: Key) -> Position:
        """Behind the last whole line of a writer."""
        return self._reader(key, is_ahead=True)[0].end()

    def find_return(self, key: Key) -> Position:
        """Where to go on with a faulty writer, which is none any more.

        Raises:
            OSError: The journal can't be read; it still is.
        """
        mark = self._cursor.marks.get(key, Mark())
        place = mark.find_end(names.writer_folder(self._home, *key), self._cursor.positions.get(key, START))
        self.faulty.discard(key)
        return place

    def close(self) -> None:
        """Close all files."""
        for reader, _ in self._readers.values():
            reader.close()

    def _reader(self, key: Key, *, is_ahead: bool) -> tuple[WriterFollower, Marked]:
        known = self._readers.get((key, is_ahead))
        if known is None:
            memory = Marked(names.writer_folder(self._home, *key))
            known = self._readers[key, is_ahead] = (WriterFollower(self._home, *key, memory=memory), memory)
        return known

    def _read(
        self, key: Key, position: Position, share: int, *, is_ahead: bool, part: Part | None = None
    ) -> Reading | None:
        reader, memory = self._reader(key, is_ahead=is_ahead)
        marks = self._cursor.ahead_marks if is_ahead else self._cursor.marks
        mark = marks.get(key, Mark())
        if part is not None and part.end == position:
            mark = mark.followed_by(part.last)
        reader.position = memory.position = position
        memory.mark = mark
        batch = reader.read(share)
        if batch is None:
            return None
        if batch.faults and batch.start != position:
            self.faulty.add(key)
            return None
        read = Part(bot=key[0], writer=key[1], start=batch.start, end=batch.position, is_ahead=is_ahead)
        return Reading(part=read, items=_items(read, batch))


def _items(part: Part, batch: Batch) -> list[Item]:
    """A batch's lines, each as an entry of the live lane where it has a time."""
    items = []
    offset = batch.start.offset
    for index, line in enumerate(batch.lines):
        item = Item(part=part, index=index, at=Position(batch.start.segment, offset), line=line)
        offset += len(line) + 1
        try:
            item.entry = as_entry(line, batch.bot, batch.writer, item.at)
        except InvalidLine as error:
            item.fault = error.reason
        items.append(item)
    return items


def trim(reading: Reading, end: Position) -> None:
    """Leave the lines from `end` on for another push."""
    reading.items = [item for item in reading.items if item.at < end]
    reading.part.end = end if reading.items else reading.part.start
