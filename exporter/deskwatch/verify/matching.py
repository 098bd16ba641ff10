"""Holding what Loki returns against the ledgers of the journals."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from deskwatch.console import Progress
from deskwatch.errors import InvalidLine
from deskwatch.journal import read_envelope
from deskwatch.verify import loki as reading
from deskwatch.verify.counting import GROUPS, INVALID, Count
from deskwatch.verify.ledger import FOUND, Ledger
from deskwatch.verify.loki import Entry, Loki
from deskwatch.verify.removed import Removed

DAY_NS = 86400 * 10**9
AHEAD_NS = 60 * 10**9
"""How far clocks may differ: the newest entry asked for is of this time from now."""
MAX_GAP_DAYS = 30
"""Time without a line that is still asked for: one query takes no longer for it."""
EARLIEST_NS = 1_500_000_000 * 10**9
"""No line was shipped before there was a deskwatch, whatever a line's own clock said."""
MAX_STRANGERS = 100_000
"""Entries that no line matches that are kept with their key; beyond, they are counted."""
LANES = ("live", "late")
_NUMBER = re.compile(r"-?[0-9]{1,100}")


class Stranger(NamedTuple):
    """An entry that no line of the journal matches. Its key is its `seq`, or -1."""

    bot: str
    writer: str
    kind: str
    key: int


class _Open(NamedTuple):
    """An entry that may be of a line that was written after the journal was counted."""

    entry: Entry
    stranger: Stranger


class Matched:
    """What came of it.

    Attributes:
        repeated: Entries that Loki returned more than once, beyond the first, by bot, writer and group.
        repeated_keys: Their keys, likewise.
        changed: `seq` of entries of this very journal, by bot, writer and group, that it has with other bytes now, or
            no longer: a line was changed after it was shipped.
        strangers: Entries that are in no journal; `more_strangers` counts those beyond the bound.
        entries: Entries read.
    """

    def __init__(self) -> None:
        self.repeated: Counter[tuple[str, str, str]] = Counter()
        self.repeated_keys: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.changed: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.strangers: list[Stranger] = []
        self.more_strangers = 0
        self.entries = 0


class Matching:
    """Takes entries; marks the rows of the ledgers that they are of."""

    def __init__(self, counts: Mapping[tuple[str, str], Count], removed: Removed) -> None:
        self._counts = counts
        self._removed = removed
        self._open: list[_Open] = []
        self._nameless: defaultdict[tuple[str, str], list[_Open]] = defaultdict(list)
        self.matched = Matched()

    def read(self, loki: Loki, bots: list[str], now: int, bars: Progress) -> Matched:
        """Read all entries of these bots; `now` in nanoseconds since 1970.

        Raises:
            Unreachable: Loki does not answer.
        """
        for bot in bots:
            counts = [count for count in self._counts.values() if count.bot == bot]
            step = bars.begin(f"{bot} in Loki", sum(sum(count.in_group.values()) for count in counts))
            for lane in LANES:
                for start, end in spans(counts, lane, now):
                    for entry in loki.entries(reading.selector(bot, lane), start, end):
                        self.take(bot, entry)
                        step(1)
        self.settle()
        return self.matched

    def take(self, bot: str, entry: Entry) -> None:
        """Hold one entry against the journals."""
        self.matched.entries += 1
        labels = entry.labels
        writer, kind = labels.get("writer", ""), labels.get("kind", "")
        seq, at = labels.get("seq", ""), labels.get("at", "")
        number = _number(seq)
        key = -1 if number is None else number
        this = _Open(entry, Stranger(bot, writer, kind, key))
        count = self._counts.get((bot, writer))
        if count is None:
            if (bot, writer) not in self._removed.positions:
                self._put_out(this.stranger)
        elif not seq and not at:
            self._nameless[bot, writer].append(this)
        elif not self._mark(count, entry, seq, at):
            self._open.append(this)

    def settle(self) -> None:
        """Decide on what was left open, now that all entries are read: the journals may have grown meanwhile."""
        if self._open or self._nameless:
            for count in self._counts.values():
                count.read_on()
        for one in self._open:
            stranger = one.stranger
            count = self._counts[stranger.bot, stranger.writer]
            if not self._mark(count, one.entry, one.entry.labels.get("seq", ""), one.entry.labels.get("at", "")):
                self._judge(count, one)
        for journal, nameless in self._nameless.items():
            self._settle_nameless(self._counts[journal], nameless)
        self._open.clear()
        self._nameless.clear()

    def _mark(self, count: Count, entry: Entry, seq: str, at: str) -> bool:
        """Mark the row that an entry is of; False where there is none."""
        line = entry.line.encode(errors="surrogatepass")
        if seq:
            ledger, key = count.numbered, _number(seq)
        else:
            segment, _, offset = at.partition(":")
            first, before = _number(segment), _number(offset)
            ledger, key = count.placed, None if first is None or before is None else count.place(first, before)
        if key is None:
            return False
        row = ledger.find(key, line)
        if row is None:
            return False
        self._found(count, ledger, row)
        return True

    def _found(self, count: Count, ledger: Ledger, row: int) -> None:
        if ledger.states[row] & FOUND:
            group = (count.bot, count.writer, GROUPS[ledger.groups[row]])
            self.matched.repeated[group] += 1
            self.matched.repeated_keys[group].append(ledger.keys[row] if ledger is count.numbered else -1)
        ledger.states[row] |= FOUND

    def _judge(self, count: Count, one: _Open) -> None:
        """An entry that is of no line: changed since, removed by retention, or never of this journal."""
        stranger = one.stranger
        if _is_before(count, one.entry):
            return
        if stranger.key < 0 or _run(one.entry.line) not in count.runs:
            self._put_out(stranger)
            return
        group = stranger.kind if stranger.kind in GROUPS else INVALID
        for row in count.numbered.rows(stranger.key):
            group = GROUPS[count.numbered.groups[row]]
            count.numbered.states[row] |= FOUND
        self.matched.changed[count.bot, count.writer, group].append(stranger.key)

    def _settle_nameless(self, count: Count, nameless: list[_Open]) -> None:
        """Entries that tell neither `seq` nor place (an older sink's, of lines with wrong fields): by their bytes."""
        wanted = {hash(one.entry.line.encode(errors="surrogatepass")) for one in nameless}
        there: set[int] = set()
        for ledger in (count.numbered, count.placed):
            for row, digest in enumerate(ledger.digests):
                if digest in wanted:
                    there.add(digest)
                    self._found(count, ledger, row)
        for one in nameless:
            if hash(one.entry.line.encode(errors="surrogatepass")) not in there and not _is_before(count, one.entry):
                self._put_out(one.stranger)

    def _put_out(self, stranger: Stranger) -> None:
        if len(self.matched.strangers) < MAX_STRANGERS:
            self.matched.strangers.append(stranger)
        else:
            self.matched.more_strangers += 1


def _is_before(count: Count, entry: Entry) -> bool:
    """Whether an entry is of a line that the journal no longer keeps."""
    seq = _number(entry.labels.get("seq", ""))
    if seq is not None:
        span = count.seqs.span
        return span is None or seq < span[0]
    segment = _number(entry.labels.get("at", "").partition(":")[0])
    if segment is not None:
        return count.first_segment is None or segment < count.first_segment
    return count.earliest is None or entry.ts < count.earliest


def _number(text: str) -> int | None:
    """The number that a label of an entry says; None where it says none, as a stranger's may."""
    return int(text) if _NUMBER.fullmatch(text) else None


def _run(line: str) -> str | None:
    try:
        return read_envelope(line.encode(errors="surrogatepass")).run
    except InvalidLine:
        return None


def spans(counts: list[Count], lane: str, now: int) -> Iterator[tuple[int, int]]:
    """The times to ask Loki for, as start and end: those that the journals' lines are of.

    A line of the live lane is stored at its own time; one of the late lane at the time of its shipping, which is at
    or after the earliest time that a line of these journals can have been written at.
    """
    days = sorted({day for count in counts for day in count.days})
    if not days:
        return
    earliest = min(count.earliest for count in counts if count.earliest is not None)
    end = now + AHEAD_NS
    if lane == "late":
        sane = [day * DAY_NS for day in days if EARLIEST_NS <= day * DAY_NS + DAY_NS <= end + DAY_NS]
        yield max(min(sane, default=now - MAX_GAP_DAYS * DAY_NS), earliest, 0), end
        return
    first = last = days[0]
    for day in (*days[1:], None):
        if day is not None and day - last <= MAX_GAP_DAYS:
            last = day
            continue
        yield max(first * DAY_NS, earliest, 0), min((last + 1) * DAY_NS, 2**63 - 1)
        if day is not None:
            first = last = day
