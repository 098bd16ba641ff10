"""Which lane a line goes to, and at what time it is stored there.

Loki refuses what is older than a week, what is of the future, and what is more than an hour behind the newest that
its stream has got (half of `max_chunk_age`). Such a line goes to the late lane, at the time of the decision, and
carries its own time as metadata. The limits here keep a margin, for the time that a push takes.

One push never spans more of a stream than SPAN: when it is repeated, after an answer that got lost, its oldest line is
still within the hour, and Loki tells the repeat for one. Without that limit Loki would refuse lines that it has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki.clock import LokiClock
from deskwatch.sinks.loki.entries import LIVE, Entry

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
ORDER_NS = HOUR_NS
"""How far behind its stream's newest Loki takes an entry, unless told otherwise."""

_CUTOFF = re.compile(r"oldest acceptable timestamp is: ([0-9T:.Z+-]+)")
_TOO_OLD = "timestamp too old"
_TOO_NEW = re.compile(r"timestamp too new: ([0-9T:.Z+-]+)")
_TOO_FAR_BEHIND = "too far behind"
_OUT_OF_ORDER = "out of order"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the live lane takes; ns. Loki's defaults less a margin."""

    old: int = 156 * HOUR_NS
    """Age: 6 d 12 h of the 7 d of `reject_old_samples_max_age`."""
    future: int = 8 * MINUTE_NS
    """Ahead of Loki's clock: of the 10 min of `creation_grace_period`."""
    behind: int = 55 * MINUTE_NS
    """Behind the newest of its stream: of an hour."""
    span: int = 50 * MINUTE_NS
    """From the oldest to the newest line of one bot in a push."""


class Lanes:
    """Decides each line's lane and time, once. What it goes by is kept with the cursor."""

    def __init__(self, cursor: Cursor, clock: LokiClock, limits: Limits | None = None) -> None:
        self._cursor = cursor
        self._clock = clock
        self.limits = limits or Limits()

    def takes(self, entry: Entry, now: int) -> bool:
        """Whether the live lane takes an entry, as far as is known before the rest of its push."""
        limits = self.limits
        age = now - entry.ts
        if age > limits.old or -age > limits.future:
            return False
        newest = self._cursor.newest.get(entry.stream[:2])
        return newest is None or newest - entry.ts <= limits.behind

    def now_ns(self) -> int:
        """The time at Loki."""
        return self._clock.now_ns()

    def cap(self, heads: Sequence[int]) -> int:
        """Newest time that one push may hold of a bot whose next lines, one for each writer, have these times."""
        return min(heads) + self.limits.span

    def choose(self, entries: Sequence[Entry], now: int) -> list[bool]:
        """Which entries of one bot's push go to the late lane. Takes note of the newest time of each live stream."""
        newest = self._cursor.newest
        live = [self.takes(entry, now) for entry in entries]
        for entry, is_live in zip(entries, live, strict=True):
            if is_live and newest.get(stream := entry.stream[:2], 0) < entry.ts:
                newest[stream] = entry.ts
        behind = self.limits.behind
        return [
            not (is_live and newest[entry.stream[:2]] - entry.ts <= behind)
            for entry, is_live in zip(entries, live, strict=True)
        ]

    def next_late_ts(self, at_least: int = 0) -> int:
        """A time for one more late line: now, and later than every one before it.

        A time that Loki finds too new is no time to go on from: it was given while a clock was wrong.
        """
        now = self._clock.now_ns()
        latest = now + self.limits.future
        following = self._cursor.late_ts + 1
        if following > latest + MINUTE_NS:  # beyond what a bounded `at_least` and the lines after it come to
            following = 0
        self._cursor.late_ts = max(now, following, min(at_least, latest))
        return self._cursor.late_ts

    def find_refused(self, words: str, entries: Sequence[Entry]) -> tuple[list[int], int]:
        """Which entries of a refused push Loki refused by their age for certain, and the oldest time that it takes.

        Its words name the cutoff (or an entry) to the second, and the check is the same for all entries of a push: what
        lies beyond was refused, too. So a week's backlog need not be halved down to each line. Loki's window, if it is
        narrower than was thought, is learnt.
        """
        if _TOO_OLD in words and (cutoff := _time_behind(words, _TOO_OLD)) is not None:
            age = self._clock.now_ns() - cutoff
            if 0 < age - HOUR_NS < self.limits.old:
                self.limits = msgspec.structs.replace(self.limits, old=max(age - HOUR_NS, HOUR_NS))
            return [index for index, entry in enumerate(entries) if entry.ts < cutoff], cutoff + 10**9
        if (match := _TOO_NEW.search(words)) is not None and (refused := _ns(match[1])) is not None:
            beyond = refused + 10**9
            return [n for n, entry in enumerate(entries) if entry.ts >= beyond and entry.stream[2] == LIVE], 0
        return [], 0

    def learn(self, words: str, entry: Entry) -> None:
        """Take in why Loki refused an entry: its stream has newer ones than we know of, or its window is narrow."""
        stream = entry.stream[:2]
        newest = self._cursor.newest.get(stream, 0)
        if entry.stream[2] != LIVE:
            return
        if _TOO_NEW.search(words):  # so it did not become the newest of its stream
            self._cursor.newest[stream] = min(newest, self._clock.now_ns() + self.limits.future)
        elif cutoff := find_order_cutoff(words):
            window = newest - cutoff
            if window < 0:
                self._cursor.newest[stream] = cutoff + ORDER_NS
            elif window < self.limits.behind:
                behind = max(window * 9 // 10, MINUTE_NS)
                self.limits = msgspec.structs.replace(self.limits, behind=behind, span=behind * 9 // 10)


def is_about_time(words: str) -> bool:
    """Whether Loki refused something because of its time."""
    return any(one in words for one in (_TOO_OLD, _TOO_FAR_BEHIND, _OUT_OF_ORDER)) or bool(_TOO_NEW.search(words))


def find_order_cutoff(words: str) -> int:
    """Oldest time that a stream takes, where Loki found an entry too far behind; ns, 0 where it did not."""
    return (_TOO_FAR_BEHIND in words and _time_behind(words, _TOO_FAR_BEHIND)) or 0


def _time_behind(words: str, reason: str) -> int | None:
    """The cutoff that follows a reason in Loki's words; ns."""
    match = _CUTOFF.search(words, words.index(reason))
    return None if match is None else _ns(match[1])


def _ns(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text.rstrip(".,;'")).timestamp()) * 10**9
    except (ValueError, OverflowError):
        return None
