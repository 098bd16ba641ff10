"""What the next push holds: which lines of which journals, in which lane, at which time.

Bots take turns. Of one bot all writers are read together, because they share streams, and Loki holds a stream to its
order: no line goes out that is much newer than the oldest one that still waits. Where a writer has a backlog within
that limit, its live lines are read, too, from the journal's end on (the cursor's `ahead`), so that they don't wait.

Where a journal is not what was read (a disk that kept less after a power cut, a folder made anew), reading goes on
behind the last line that is known; what may be doubled by that is told in `deskwatch.sinks.marks`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

from deskwatch.journal import START, Follower, WriterFollower, names
from deskwatch.sinks.cursor import Cursor, Key, Part
from deskwatch.sinks.loki.entries import as_late
from deskwatch.sinks.loki.lanes import Lanes
from deskwatch.sinks.loki.reading import Item, Readers, Reading, trim
from deskwatch.sinks.marks import last_of

logger = logging.getLogger(__name__)

MAX_PUSH_BYTES = 1024 * 1024
"""Journal bytes in one push, about; twice that while a backlog is worked off. It goes in two requests, each of which is
about as long with its metadata and quoting, and so within Loki's own limit of 4 MB."""
MIN_PUSH_BYTES = 16 * 1024
SHARE_BYTES = 256 * 1024
"""Of which one bot gets this much where many have something to send."""


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
        self._readers = Readers(home, cursor)
        self._turn = 0
        self._busy = 1
        self.rereads = 0
        """How often a journal was not what was read, and part of it was read again."""
        self.unreadable: set[Key] = set()
        """Writers whose journal could not be read at the last try."""

    def next_items(self) -> list[Item]:
        """The lines of the next push; the cursor has taken up its plan. Empty where nothing can be sent now."""
        self.follower.discover()
        writers = defaultdict(list)
        for bot, writer in self.follower.positions():
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
            for reading in readings:
                if reading.items:
                    reading.part.last = last_of(reading.items[-1].line)
                    parts.append(reading.part)
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

        A part whose journal is not as it was, or can't be read now, is taken out: what is there is planned anew. Where
        the push came through before, lines of such a part that were in the late lane get there twice.
        """
        kept: list[Part] = []
        items: list[Item] = []
        for part in self._cursor.plan:
            key = (part.bot, part.writer)
            try:
                found = self._readers.read_part(part)
            except OSError as error:
                self._report(key, error)
                continue
            if not found:
                logger.warning("the journal is not as it was left, planning anew", extra={"bot": part.bot})
                continue
            kept.append(part)
            times = part.late_times()
            for item in found:
                if item.entry is not None and item.index in times:
                    item.entry = as_late(item.entry, times[item.index])
                items.append(item)
        if len(kept) < len(self._cursor.plan):
            self._cursor.begin(kept)
        return items

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet. May be asked from another thread."""
        return sum(
            self._backlog_of((bot, writer))
            for bot in names.bots(self._home)
            for writer in names.writers(self._home, bot)
        )

    def close(self) -> None:
        """Close all files."""
        self._readers.close()
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
                reading, live = self._read_writer(key, each)
            except OSError as error:  # one journal that can't be read holds up no other
                self._report(key, error)
                continue
            self.unreadable.discard(key)
            if live is not None:
                overtaking.append(live)
            if reading is not None:
                readings.append(reading)
        return overtaking + readings

    def _read_writer(self, key: Key, share: int) -> tuple[Reading | None, Reading | None]:
        """What a writer has got behind the cursor, and ahead of it."""
        for _ in range(2):
            if key in self._readers.faulty:
                self._go_back(key)
            reading = self._read_backlog(key, share)
            ahead = self._cursor.ahead.get(key)
            live = None if ahead is None else self._readers.read(key, ahead[1], share, is_ahead=True)
            if key not in self._readers.faulty:
                return reading, live
        return None, None  # it changes while it is read; the next plan tries again

    def _go_back(self, key: Key) -> None:
        position = self._cursor.positions.get(key, START)
        place = self._readers.find_return(key)
        self._cursor.go_back(key, place)
        self.rereads += place < position

    def _read_backlog(self, key: Key, share: int) -> Reading | None:
        position = self._cursor.positions.get(key, START)
        reading = self._readers.read(key, position, share)
        ahead = self._cursor.ahead.get(key)
        if reading is None:
            moved = self._readers.moved_to(key)
            if position != START and moved.segment > position.segment and key not in self._readers.faulty:
                self._cursor.positions[key] = moved  # nothing came yet, but the segment before it is done, or gone
                self._cursor.is_changed = True
            return None
        if ahead is None:
            self._overtake(key, reading, share)
        elif reading.part.start >= ahead[0]:
            self._cursor.join(key, ahead[0])
            return self._readers.read(key, self._cursor.positions[key], share)
        elif reading.part.end > ahead[0]:
            trim(reading, ahead[0])
        return reading

    def _overtake(self, key: Key, reading: Reading, share: int) -> None:
        """Begin to read at the journal's end, too, where the backlog is longer than a push, and not too old."""
        if sum(len(item.line) + 1 for item in reading.items) < share // 2:
            return
        head = next((item.entry for item in reading.items if item.entry is not None), None)
        now = self._lanes.now_ns()
        if head is None or not 0 <= now - head.ts < self._lanes.limits.span:
            return
        end = self._readers.end(key)
        if end > reading.part.end:
            self._cursor.ahead[key] = (end, end)

    def prefetch(self) -> None:
        """Read what comes behind the plan's parts, while these are on their way; the next plan finds it read."""
        self._readers.forget()
        if not self.is_full:
            return
        self._readers.prefetch(self.push_bytes // max(1, len(self._cursor.plan)))

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
                        trim(reading, item.at)
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
