"""Activity from the segments, the newest first, over all journals that are wanted; read a bounded piece at a time.

Journals are merged by time. That of one journal is taken to grow: where a clock was set back, events from before may
come late, or not at all with `since_ts`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Position, names, read_envelope
from deskwatch.journal.backwards import Backwards
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.journal.line import read as read_line
from deskwatch.projections.activity import Entry, Filter, entry_of
from deskwatch.sidecar.streaming.cursor import Key

MAX_BYTES = 8 * 1024 * 1024
"""Read for one page, whether anything is found or not."""


class Page(NamedTuple):
    """Events, the newest first, and where the next page begins.

    Attributes:
        before: For each journal where to go on; None where there is nothing more.
    """

    entries: list[Entry]
    before: dict[Key, Position] | None


def place_of(entry: Entry) -> tuple[Key, Position]:
    """Where an entry's line begins."""
    bot, writer, place = entry.id.split("/")
    segment, _, offset = place.partition(".")
    return (bot, writer), Position(int(segment), int(offset))


def kept(entries: Iterable[Entry], ends: Mapping[Key, Position], wanted: Filter, limit: int) -> Page:
    """A page of what is in memory, with where the segments go on.

    Args:
        entries: What is in memory, newest first.
        ends: How far the journals are folded in that may hold what is wanted.
        wanted: Which are wanted.
        limit: The most that are wanted.
    """
    found: list[Entry] = []
    before = dict(ends)
    for entry in entries:
        if len(found) == limit:
            break
        key, position = place_of(entry)
        if key in before:
            before[key] = min(position, before[key])
        if wanted.accepts(entry):
            found.append(entry)
    return Page(found, before)


def read(
    home: Path,
    before: Mapping[Key, Position],
    wanted: Filter,
    limit: int,
    *,
    max_bytes: int = MAX_BYTES,
    also: Callable[[Entry], bool] | None = None,
) -> Page:
    """A page from the segments. Reads from disk.

    Args:
        home: Whose journals.
        before: Where to begin, for each journal.
        wanted: Which events are wanted.
        limit: The most that are wanted.
        max_bytes: The most to read, and a block for each journal at least.
        also: What else a wanted event must be.

    Raises:
        OSError: A journal can't be read.
    """
    accepts = wanted.accepts if also is None else lambda entry: wanted.accepts(entry) and also(entry)
    journals = [
        _Journal(home, key, position, wanted, accepts)
        for key, position in before.items()
        if wanted.bot is None or key[0] == wanted.bot
    ]
    budget = max(max_bytes, len(journals) * MAX_LINE_BYTES)
    found: list[Entry] = []
    while len(found) < limit:
        newest = max((one for one in journals if one.entries), key=_Journal.newest, default=None)
        bound = -math.inf if newest is None else newest.newest()
        behind = next((one for one in journals if one.may_have_after(bound)), None)
        if behind is not None:
            if budget <= 0:
                break
            budget -= behind.load()
        elif newest is not None:
            found.append(newest.entries.popleft())
        else:
            return Page(found, None)
    return Page(found, {one.key: one.next_before() for one in journals})


class _Journal:
    """One journal's events that were read and not given out yet, the newest first."""

    def __init__(
        self, home: Path, key: Key, position: Position, wanted: Filter, accepts: Callable[[Entry], bool]
    ) -> None:
        self.key = key
        self.entries: deque[Entry] = deque()
        self._lines = Backwards(names.writer_folder(home, *key), position)
        self._wanted = wanted
        self._accepts = accepts
        self._needle = None if wanted.type is None else f'"{wanted.type}"'.encode()
        self._reached = math.inf
        self._is_done = position == START

    def newest(self) -> float:
        """Time of the newest event that was not given out."""
        return self.entries[0].ts

    def may_have_after(self, ts: float) -> bool:
        """Whether what was not read yet may hold an event that is younger."""
        return not self.entries and not self._is_done and self._reached > ts

    def next_before(self) -> Position:
        """Where to go on another time."""
        if self.entries:
            _, position = place_of(self.entries[0])
            return Position(position.segment, position.offset + len(self.entries[0].raw) + 1)
        return START if self._is_done else self._lines.position

    def load(self) -> int:
        """Read a block; how many bytes that was."""
        lines = self._lines.read(self._is_too_young)
        for position, line in lines:
            entry = self._entry(line, position)
            if entry is not None and self._accepts(entry):
                self.entries.append(entry)
        times = [ts for ts in (_time_of(line) for _, line in (*lines[:1], *lines[-1:])) if ts is not None]
        self._reached = min((self._reached, *times))
        since = self._wanted.since_ts
        self._is_done = self._lines.is_done or (since is not None and bool(times) and max(times) < since)
        return sum(len(line) + 1 for _, line in lines) + 1024  # and the reading itself

    def _entry(self, line: bytes, position: Position) -> Entry | None:
        if self._needle is not None and self._needle not in line:
            return None
        try:
            record = read_line(line, *self.key)
        except InvalidLine:
            return None
        return entry_of(record, position.segment, position.offset)

    def _is_too_young(self, first_line: bytes) -> bool:
        """Whether all of a segment is younger than what is wanted."""
        until, ts = self._wanted.until_ts, _time_of(first_line)
        return until is not None and ts is not None and ts >= until


def _time_of(line: bytes) -> int | None:
    try:
        return read_envelope(line).ts
    except InvalidLine:
        return None
