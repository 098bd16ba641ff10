"""What a client missed, read from the segments: the same events, with the same ids, that it would have been sent.

It is asked from threads, piece by piece, so that neither the event loop nor memory knows how much was missed. Journals
are merged by time; within each of them the order is the journal's own.

A duplicate (the same `seq` of the same run) is left out where the line that it repeats lies in what was missed, too.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deskwatch import base
from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Position, Record, WriterFollower, names
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.journal.line import read as read_line
from deskwatch.projections.activity import Entry, entry_of
from deskwatch.projections.continuity import Seen
from deskwatch.sidecar.streaming.cursor import BEGINNING, Key, Place, Places, mark_of
from deskwatch.sidecar.streaming.topic import Topic

READ_BYTES = 64 * 1024
"""Read at once of one journal."""
PIECE_BYTES = 256 * 1024
"""Lines, wanted or not, that are looked at for one piece."""
PIECE_EVENTS = 500


class Gone(Exception):
    """The journal does not have what was missed; says why, in a sentence."""


class Piece(NamedTuple):
    """Events that follow each other, and how far each journal was read."""

    entries: list[Entry]
    moved: dict[Key, Place]


class _Step(NamedTuple):
    ts: int
    key: Key
    line: bytes
    position: Position
    entry: Entry | None


class Replay:
    """Goes on from a cursor. Made in the event loop, asked from one thread at a time.

    Attributes:
        seen: How far it has come: the cursor, whole.
    """

    def __init__(self, home: Path, topic: Topic, seen: Places) -> None:
        self._home = home
        self._topic = topic
        self.seen: dict[Key, Place] = topic.of(seen)
        self._stops: dict[Key, Place] = {}
        self._steps: Iterator[_Step] | None = None
        self._followers: list[WriterFollower] = []
        self._duplicates: dict[Key, Seen] = {}
        self._last: dict[Key, int] = {}
        self._reading = threading.Lock()
        self._is_closed = False

    def check(self, places: Places) -> None:
        """Find out whether the journals still have what follows the cursor. Reads from disk.

        Args:
            places: Up to where the journals are folded in.

        Raises:
            Gone: They don't.
        """
        wanted = self._topic.of(places)
        for key, place in self.seen.items():
            if key not in wanted and place.position != START:
                raise Gone(f"there is no journal {'/'.join(key)}")
        new = wanted.keys() - self.seen.keys()
        removed = base.load(self._home).positions if new else {}
        for key, place in wanted.items():
            seen = self.seen.get(key, BEGINNING)
            name = "/".join(key)
            if seen.position == START and key in removed:
                raise Gone(f"the beginning of {name} was removed")
            if seen.position > place.position:
                raise Gone(f"the cursor is ahead of what {name} holds")
            if seen.position == place.position and None not in (seen.mark, place.mark) and seen.mark != place.mark:
                raise Gone(f"{name} was replaced since")
            if seen.position < place.position:
                _probe(names.writer_folder(self._home, *key), name, seen)
        self.seen = {key: self.seen.get(key, BEGINNING) for key in wanted}

    def is_near(self, places: Places, within_bytes: int) -> bool:
        """Whether so few bytes are missing, as far as can be told without looking."""
        missing = 0
        for key, place in places.items():
            seen, now = self.seen.get(key, BEGINNING).position, place.position
            if seen.segment == now.segment:
                missing += now.offset - seen.offset
            elif now.offset > 0 or now.segment - seen.segment > 1:
                return False
        return missing <= within_bytes

    def aim(self, places: Places) -> None:
        """Read up to there next."""
        self._stops = {key: place for key, place in places.items() if self._at(key).position < place.position}
        self._steps = heapq.merge(*(self._follow(key) for key in self._stops), key=lambda step: step.ts)

    def _at(self, key: Key) -> Place:
        return self.seen.get(key, BEGINNING)

    def read(self, events: int = PIECE_EVENTS) -> Piece | None:
        """The next events, possibly none, and how far that is; None once all that was aimed at was read. From disk.

        Raises:
            Gone: A journal is not as it was.
        """
        with self._reading:
            if self._steps is None or self._is_closed:
                return None
            entries: list[Entry] = []
            reached: dict[Key, _Step] = {}
            looked = 0
            for step in self._steps:
                reached[step.key] = step
                looked += len(step.line) + 1
                if step.entry is not None and self._topic.accepts(step.entry):
                    entries.append(step.entry)
                if len(entries) >= events or looked >= PIECE_BYTES:  # a filter may find nothing in all of it
                    moved = {key: Place(one.position, mark_of(one.line)) for key, one in reached.items()}
                    break
            else:
                moved = {key: place for key, place in self._stops.items() if self._at(key) != place}
                self._steps = None
            self.seen |= moved
            if self._is_closed:
                self._close()
            return Piece(entries, moved) if moved else None

    def close(self) -> None:
        """Read no more."""
        self._is_closed = True
        if self._reading.acquire(blocking=False):  # else whoever reads closes what it reads from
            try:
                self._close()
            finally:
                self._reading.release()

    def _close(self) -> None:
        self._steps = None
        for follower in self._followers:
            follower.close()
        self._followers.clear()

    def _follow(self, key: Key) -> Iterator[_Step]:
        bot, writer = key
        stop = self._stops[key].position
        follower = WriterFollower(self._home, bot, writer, self._at(key).position)
        self._followers.append(follower)
        duplicates = self._duplicates.setdefault(key, Seen())
        try:
            while follower.position < stop:
                batch = follower.read(READ_BYTES)
                follower.close()  # many clients that read many journals would hold more files than there may be
                if batch is None or batch.faults:
                    raise Gone(f"{bot}/{writer} is not as it was left")
                segment, offset = batch.start.segment, batch.start.offset
                for index, line in enumerate(batch.lines):
                    if Position(segment, offset) >= stop:
                        return
                    is_last = index == len(batch.lines) - 1
                    after = batch.position if is_last else Position(segment, offset + len(line) + 1)
                    entry = self._entry(key, line, segment, offset, duplicates)
                    yield _Step(self._last.get(key, 0), key, line, after, entry)
                    offset += len(line) + 1
        except OSError as error:
            raise Gone(f"{bot}/{writer} can't be read: {error.strerror}") from None
        finally:
            follower.close()

    def _entry(self, key: Key, line: bytes, segment: int, offset: int, duplicates: Seen) -> Entry | None:
        try:
            record = read_line(line, *key)
        except InvalidLine:
            return None
        self._last[key] = record.ts
        return None if _is_duplicate(record, duplicates) else entry_of(record, segment, offset)


def _is_duplicate(record: Record, seen: Seen) -> bool:
    """As the projections decide it, of the lines that are read here."""
    if record.seq is None or record.seq < 1 or record.run is None:
        return False
    if record.seq == seen.next and record.run == seen.run:
        seen.next += 1
        return False
    return seen.place(record.seq, record.run, record.ts) == "duplicate"


def _probe(folder: Path, name: str, place: Place) -> None:
    """Look whether a journal is, before a place, what it was when that was seen.

    Raises:
        Gone: It is not.
    """
    segment, offset = place.position.segment, place.position.offset
    if segment == 0:
        return
    try:
        with (folder / names.segment_name(segment)).open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, offset - MAX_LINE_BYTES)
            before = os.pread(file.fileno(), offset - start, start)
    except FileNotFoundError:
        raise Gone(f"what followed in {name} was removed") from None
    except OSError as error:
        raise Gone(f"{name} can't be read: {error.strerror}") from None
    if size < offset:
        raise Gone(f"{name} is shorter than it was")
    if not before:
        return
    ends = before.endswith(b"\n") or b"\n" not in before  # a line without end is passed on in pieces
    _, newline, line = before[:-1].rpartition(b"\n")
    is_known = place.mark is None or (not newline and start > 0) or mark_of(line) == place.mark  # or too long to know
    if not ends or not is_known:
        raise Gone(f"{name} was replaced since")
