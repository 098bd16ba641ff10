"""What the next push holds: which lines of which journals, in which lane, at which time.

Bots take turns. Of one bot all writers are read together, because they share streams, and Loki holds a stream to its
order: no line goes out that is much newer than the oldest one that still waits. Where a writer has a backlog within
that limit, its live lines are read, too, from the journal's end on (the cursor's `ahead`), so that they don't wait.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Batch, Follower, Position, WriterFollower
from deskwatch.sinks.cursor import Cursor, Key, Part
from deskwatch.sinks.loki.entries import Entry, as_entry, as_late
from deskwatch.sinks.loki.lanes import Lanes

logger = logging.getLogger(__name__)

MAX_PUSH_BYTES = 1024 * 1024
"""Journal bytes in one push, about; twice that while a backlog is worked off. It goes in two requests, each of which is
about as long with its metadata and quoting, and so within Loki's own limit of 4 MB."""
MIN_PUSH_BYTES = 16 * 1024
SHARE_BYTES = 256 * 1024
"""Of which one bot gets this much where many have something to send."""


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


class Planner:
    """Reads the journals behind the cursor, and plans pushes.

    Attributes:
        follower: Finds bots and writers, and waits for news of them.
        push_bytes: Journal bytes in one push; twice the usual, or less than it, as Loki takes it.
        is_full: Whether there is more to send than the last plan holds.
    """

    def __init__(self, home: Path, cursor: Cursor, lanes: Lanes, push_bytes: int = MAX_PUSH_BYTES) -> None:
        self.follower = Follower(home)
        self.push_bytes = self._usual_bytes = push_bytes
        self.is_full = False
        self._home = home
        self._cursor = cursor
        self._lanes = lanes
        self._readers: dict[tuple[Key, bool], WriterFollower] = {}
        self._prefetched: dict[tuple[Key, bool], tuple[Position, Reading | None]] = {}
        self._turn = 0
        self._busy = 1
        self.keys: tuple[Key, ...] = ()
        """All writers, as of the last plan."""
        self.unreadable: set[Key] = set()
        """Writers whose journal could not be read at the last try."""

    def next_items(self) -> list[Item]:
        """The lines of the next push; the cursor has taken up its plan. Empty where nothing can be sent now."""
        self.follower.discover()
        writers = defaultdict(list)
        self.keys = tuple(self.follower.positions())
        for bot, writer in self.keys:
            writers[bot].append(writer)
        bots = list(writers)
        self._turn += 1
        share = max(min(SHARE_BYTES, self.push_bytes), self.push_bytes // self._busy)
        self.is_full = False
        parts: list[Part] = []
        items: list[Item] = []
        size = busy = 0
        for number in range(len(bots)):
            if size >= self.push_bytes:
                self._turn += number - 1  # the next push begins with the bot that had no turn
                self.is_full = True
                break
            bot = bots[(self._turn + number) % len(bots)]
            readings = self._read(bot, writers[bot], share)
            chosen = self._decide(readings)
            parts += [reading.part for reading in readings if reading.part.start != reading.part.end]
            items += chosen
            size += sum(len(item.line) for item in chosen)
            busy += bool(chosen)
        self._busy = max(busy, 1)
        self.is_full = self.is_full or size >= min(self.push_bytes, self._usual_bytes) // 2
        if parts:
            self._cursor.begin(parts)
        return items

    def items_of_plan(self) -> list[Item]:
        """The lines of the push that was under way when the cursor was saved, just as they were decided then.

        Where the journal is not as it was, there is no such push any more: what is there is planned anew.

        Raises:
            OSError: A journal can't be read now.
        """
        items: list[Item] = []
        for part in self._cursor.plan:
            times = part.late_times()
            found = self._read_part(part)
            if not found and part.start != part.end:
                logger.warning("the journal is not as it was left, planning anew", extra={"bot": part.bot})
                self._cursor.begin([])
                return []
            for item in found:
                if item.entry is not None and item.index in times:
                    item.entry = as_late(item.entry, times[item.index])
                items.append(item)
        return items

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet. May be asked from another thread."""
        return sum(self._backlog_of(key) for key in self.keys)

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers.values():
            reader.close()
        self.follower.close()

    def _backlog_of(self, key: Key) -> int:
        total = WriterFollower(self._home, *key, self._cursor.positions.get(key, START)).backlog_bytes()
        ahead = self._cursor.ahead.get(key)
        if ahead is not None:
            start, end = (WriterFollower(self._home, *key, at).backlog_bytes() for at in ahead)
            total -= start - end
        return max(total, 0)

    def _read(self, bot: str, writers: list[str], share: int) -> list[Reading]:
        """What each writer of a bot has got; live lines that overtake come first."""
        each = share // max(1, len(writers))
        overtaking: list[Reading] = []
        readings: list[Reading] = []
        for writer in writers:
            key = (bot, writer)
            try:
                reading = self._read_backlog(key, each)
                ahead = self._cursor.ahead.get(key)
                live = None if ahead is None else self._read_at(key, ahead[1], each, is_ahead=True)
            except OSError as error:  # one journal that can't be read holds up no other
                self._report(key, error)
                continue
            self.unreadable.discard(key)
            if live is not None:
                overtaking.append(live)
            if reading is not None:
                readings.append(reading)
        return overtaking + readings

    def _read_backlog(self, key: Key, share: int) -> Reading | None:
        position = self._cursor.positions.get(key, START)
        reading = self._read_at(key, position, share)
        ahead = self._cursor.ahead.get(key)
        if reading is None:
            return None
        if ahead is None:
            self._overtake(key, reading, share)
        elif reading.part.start >= ahead[0]:
            self._cursor.join(key, ahead[0])
            return self._read_at(key, self._cursor.positions[key], share)
        elif reading.part.end > ahead[0]:
            _trim(reading, ahead[0])
        return reading

    def _overtake(self, key: Key, reading: Reading, share: int) -> None:
        """Begin to read at the journal's end, too, where the backlog is longer than a push, and not too old."""
        if sum(len(item.line) + 1 for item in reading.items) < share // 2:
            return
        head = next((item.entry for item in reading.items if item.entry is not None), None)
        now = self._lanes.now_ns()
        if head is None or not 0 <= now - head.ts < self._lanes.limits.span:
            return
        end = self._reader(key, is_ahead=True).end()
        if end > reading.part.end:
            self._cursor.ahead[key] = (end, end)

    def _reader(self, key: Key, *, is_ahead: bool) -> WriterFollower:
        reader = self._readers.get((key, is_ahead))
        if reader is None:
            reader = self._readers[key, is_ahead] = WriterFollower(self._home, *key)
        return reader

    def prefetch(self) -> None:
        """Read what comes behind the plan's parts, while these are on their way; the next plan finds it read."""
        self._prefetched.clear()
        if not self.is_full:
            return
        share = self.push_bytes // max(1, len(self._cursor.plan))
        for part in self._cursor.plan:
            if part.end.offset - part.start.offset < share // 2:
                continue  # the journal's end, or what the order forbids for now
            key = (part.bot, part.writer)
            with contextlib.suppress(OSError):  # the next plan meets it again, and tells
                self._prefetched[key, part.is_ahead] = (
                    part.end,
                    self._read_journal(key, part.end, share, is_ahead=part.is_ahead),
                )

    def _read_at(self, key: Key, position: Position, share: int, *, is_ahead: bool = False) -> Reading | None:
        at, reading = self._prefetched.pop((key, is_ahead), (None, None))
        if at == position and reading is not None:
            return reading
        return self._read_journal(key, position, share, is_ahead=is_ahead)

    def _read_journal(self, key: Key, position: Position, share: int, *, is_ahead: bool) -> Reading | None:
        reader = self._reader(key, is_ahead=is_ahead)
        reader.position = position
        batch = reader.read(share)
        if batch is None:
            return None
        part = Part(bot=key[0], writer=key[1], start=batch.start, end=batch.position, is_ahead=is_ahead)
        return Reading(part=part, items=_items(part, batch))

    def _read_part(self, part: Part) -> list[Item]:
        reader = self._reader((part.bot, part.writer), is_ahead=False)
        reader.position = part.start
        batch = reader.read(max(part.end.offset - part.start.offset, 1))
        if batch is None or batch.start != part.start or batch.position < part.end:
            return []
        reading = Reading(part=part, items=_items(part, batch))
        return [item for item in reading.items if item.at < part.end]

    def _decide(self, readings: list[Reading]) -> list[Item]:
        """Cut what is read to what may go out together, and decide the lane of each line of it."""
        now = self._lanes.now_ns()
        heads = [
            next((one.entry.ts for one in reading.items if one.entry and self._lanes.takes(one.entry, now)), None)
            for reading in readings
        ]
        known = [head for head in heads if head is not None]
        if known:
            cap = self._lanes.cap(known)
            for reading in readings:
                for item in reading.items:
                    if item.entry and item.entry.ts > cap and self._lanes.takes(item.entry, now):
                        _trim(reading, item.at)
                        self.is_full = True
                        break
        items = [item for reading in readings for item in reading.items]
        shipped = [item for item in items if item.entry is not None]
        entries = [item.entry for item in shipped if item.entry is not None]
        times: dict[int, dict[int, int]] = defaultdict(dict)
        for item, entry, is_late in zip(shipped, entries, self._lanes.choose(entries, now), strict=True):
            if is_late:
                ts = times[id(item.part)][item.index] = self._lanes.next_late_ts()
                item.entry = as_late(entry, ts)
        for reading in readings:
            if id(reading.part) in times:
                reading.part.set_late(times[id(reading.part)])
        return items

    def _report(self, key: Key, error: OSError) -> None:
        if key not in self.unreadable:
            self.unreadable.add(key)
            logger.error("a journal can't be shipped", extra={"bot": key[0], "writer": key[1], "error": str(error)})


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


def _trim(reading: Reading, end: Position) -> None:
    """Leave the lines from `end` on for another push."""
    reading.items = [item for item in reading.items if item.at < end]
    reading.part.end = end if reading.items else reading.part.start
