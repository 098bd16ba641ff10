"""What the next batch holds: lines of the journals behind the cursor, writers in turn, about one batch's bytes of them.

Where a journal is not what was read (see `deskwatch.sinks.marks`), reading goes on behind the last line that is known.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from deskwatch.journal import START, Follower, Position, WriterFollower, names
from deskwatch.sinks.cursor import Cursor, Key, Part
from deskwatch.sinks.marks import Mark, Marked, last_of

logger = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024
"""Journal bytes in one batch, about. As OTLP they are two to three times as long, and so within gRPC's usual 4 MB."""
SHARE_BYTES = 64 * 1024
"""Of which one writer gets this much where many have something to send."""


class Line(NamedTuple):
    """A line and where it lies."""

    key: Key
    at: Position
    raw: bytes


class Reader:
    """Reads all journals of a home.

    Attributes:
        follower: Finds bots and writers, and waits for news of them.
        is_full: Whether there is more to send than the last batch holds.
        rereads: How often a journal was not what was read, and part of it was read again.
    """

    def __init__(self, home: Path, cursor: Cursor, batch_bytes: int = BATCH_BYTES) -> None:
        self.follower = Follower(home)
        self.is_full = False
        self.rereads = 0
        self._home = home
        self._cursor = cursor
        self._batch_bytes = batch_bytes
        self._readers: dict[Key, tuple[WriterFollower, Marked]] = {}
        self._unreadable: set[Key] = set()
        self._turn = 0

    def next_lines(self) -> list[Line]:
        """The lines of the next batch, which the cursor has taken up; none where the journals have nothing more."""
        self.follower.discover()
        keys = list(self.follower.positions())
        lines: list[Line] = []
        parts: list[Part] = []
        size = 0
        self.is_full = False
        self._turn += 1
        for number in range(len(keys)):
            if size >= self._batch_bytes:
                self._turn += number - 1  # the next batch begins with the writer that had no turn
                self.is_full = True
                break
            key = keys[(self._turn + number) % len(keys)]
            share = self._batch_bytes if len(keys) <= 2 else SHARE_BYTES
            found = self._read(key, min(share, self._batch_bytes))
            if found is None:
                continue
            part, read = found
            parts.append(part)
            lines += read
            length = sum(len(line.raw) for line in read)
            size += length
            self.is_full = self.is_full or length >= min(share, self._batch_bytes) // 2
        if parts:
            self._cursor.begin(parts)
        return lines

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet. May be asked from another thread."""
        return sum(
            WriterFollower(self._home, bot, writer, self._cursor.positions.get((bot, writer), START)).backlog_bytes()
            for bot in names.bots(self._home)
            for writer in names.writers(self._home, bot)
        )

    def close(self) -> None:
        """Close all files."""
        for reader, _ in self._readers.values():
            reader.close()
        self.follower.close()

    def _read(self, key: Key, share: int) -> tuple[Part, list[Line]] | None:
        try:
            found = self._try_read(key, share)
        except OSError as error:  # one journal that can't be read holds up no other
            if key not in self._unreadable:
                self._unreadable.add(key)
                logger.error("a journal can't be sent", extra={"bot": key[0], "writer": key[1], "error": str(error)})
            return None
        self._unreadable.discard(key)
        return found

    def _try_read(self, key: Key, share: int) -> tuple[Part, list[Line]] | None:
        folder = names.writer_folder(self._home, *key)
        if key not in self._readers:
            memory = Marked(folder)
            self._readers[key] = (WriterFollower(self._home, *key, memory=memory), memory)
        reader, memory = self._readers[key]
        for _ in range(2):
            position = self._cursor.positions.get(key, START)
            reader.position = memory.position = position
            memory.mark = self._cursor.marks.get(key, Mark())
            batch = reader.read(share)
            if batch is None:
                if position != START and reader.position.segment > position.segment:
                    self._cursor.positions[key] = reader.position  # the segment before it is done, or gone
                    self._cursor.is_changed = True
                return None
            if not batch.faults or batch.start == position:
                break
            place = memory.mark.find_end(folder, position)
            self.rereads += place < position
            self._cursor.go_back(key, place)
        else:
            return None  # it changes while it is read; the next batch tries again
        if not batch.lines:
            return None
        lines = []
        at = batch.start
        for raw in batch.lines:
            lines.append(Line(key, at, raw))
            at = Position(at.segment, at.offset + len(raw) + 1)
        last = last_of(batch.lines[-1])
        return Part(bot=key[0], writer=key[1], start=batch.start, end=batch.position, last=last), lines
