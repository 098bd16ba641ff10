"""Counting a journal: what it holds by kind and type, and a ledger of its lines to hold against Loki."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.journal import START, Position, Record, read, read_envelope
from deskwatch.journal.ranges import Ranges
from deskwatch.journal.walk import Line, Walk
from deskwatch.projections.metrics.family import label
from deskwatch.verify import ledger
from deskwatch.verify.ledger import Ledger
from deskwatch.verify.sent import Sent

INVALID = "(no event)"
"""The group of lines that are no event, in the place of a kind."""
DUPLICATE = "duplicate"
GROUPS = (INVALID, UNKNOWN_KIND, *sorted(set(KINDS.values())))
"""What rows are grouped by: a kind, or INVALID."""
_NUMBER = {name: number for number, name in enumerate(GROUPS)}
_WHOLE = frozenset({"fields", "misplaced"})
"""Reasons of lines whose envelope is sound: they have a `seq`, and Loki gets them."""
_PLACE_BITS = 40
_TELL_EVERY = 1024 * 1024


class Tally(msgspec.Struct, kw_only=True):
    """What was counted up to one place.

    Attributes:
        events: By type, as the metric's label has it.
        invalid: Lines that are no event, by reason.
        repeats: Of the invalid: events that were there before, by type.
    """

    events: Counter[str]
    invalid: Counter[str]
    repeats: Counter[str]

    def total(self) -> int:
        """All lines."""
        return self.events.total() + self.invalid.total()


class Count:
    """One writer's journal, counted from what retention left of it up to its end of now.

    Attributes:
        followed: What was counted up to where the sidecar had followed it at its scrape.
        followed_bytes_gone: Whether the journal ends before that place.
        seqs: Every `seq` that an event had.
        in_group: Lines in each group.
        spans: Lowest and highest `seq` in each group.
        numbered: Ledger of the lines with a `seq`; `placed`: of those without.
        earliest: Time of the earliest line, nanoseconds since 1970; None where no line has one.
        days: Days since 1970 that lines are of.
        runs: By run, every `seq` that its events had.
        first_segment: Segment of the first line; None where there is none.
    """

    def __init__(self, home: Path, bot: str, writer: str, *, start: Position = START) -> None:
        self.bot = bot
        self.writer = writer
        self.start = start
        self.walk = Walk(home, bot, writer, start)
        self.tally = Tally(events=Counter(), invalid=Counter(), repeats=Counter())
        self.followed: Tally | None = None
        self.followed_bytes_gone = False
        self.seqs = Ranges()
        self.in_group: Counter[str] = Counter()
        self.spans: dict[str, tuple[int, int]] = {}
        self.numbered = Ledger()
        self.placed = Ledger()
        self.earliest: int | None = None
        self.days: set[int] = set()
        self.segments: dict[int, int] = {}
        self.runs: defaultdict[str, Ranges] = defaultdict(Ranges)
        self.first_segment: int | None = None

    @property
    def journal(self) -> tuple[str, str]:
        """Bot and writer."""
        return self.bot, self.writer

    def read(
        self,
        sent: Sent,
        *,
        followed: Position | None = None,
        kept_since: int = 0,
        step: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Count all lines.

        Args:
            sent: What the sink says of them.
            followed: Where to take `followed`; None for the end.
            kept_since: Time, nanoseconds since 1970, before which Loki may have deleted.
            step: Called with the bytes read, now and then.
        """
        at = None if followed is None else (followed.segment, followed.offset)
        told = 0
        for line in self.walk:
            if at is not None and self.followed is None and (line.segment, line.offset) >= at:
                self.followed = self._snapshot()
            self._take(line, sent, kept_since)
            told += len(line.text) + 1
            if told >= _TELL_EVERY:
                step(told)
                told = 0
        step(told)
        end = (self.walk.position.segment, self.walk.position.offset)
        self.followed_bytes_gone = at is not None and at[1] > 0 and end < at
        if self.followed is None:
            self.followed = self._snapshot()
        self.numbered.mark_repeated()

    def read_on(self) -> None:
        """Take in the lines that were written since, so that they can be told from lines that were never written."""
        self.walk.stop = self.walk.end()
        nothing = Sent()
        for line in self.walk:
            self._take(line, nothing, 0)

    def place(self, segment: int, offset: int) -> int | None:
        """The key of a line without `seq`, by its place; None where the journal has no such segment."""
        rank = self.segments.get(segment)
        return None if rank is None else rank << _PLACE_BITS | offset

    def place_of(self, key: int) -> tuple[int, int]:
        """The place that such a key stands for."""
        return list(self.segments)[key >> _PLACE_BITS], key & (1 << _PLACE_BITS) - 1

    def undelivered(self) -> int:
        """Lines that the sink has not come to."""
        nothing = ledger.DELIVERED | ledger.QUARANTINED
        return sum(not state & nothing for one in (self.numbered, self.placed) for state in one.states)

    def _snapshot(self) -> Tally:
        return Tally(
            events=self.tally.events.copy(), invalid=self.tally.invalid.copy(), repeats=self.tally.repeats.copy()
        )

    def _take(self, line: Line, sent: Sent, kept_since: int) -> None:
        state = 0
        ts, seq = 0, None
        if self.first_segment is None:
            self.first_segment = line.segment
        try:
            record = read(line.text, self.bot, self.writer)
            ts, seq = record.ts, record.seq
            group = self._count(record)
        except InvalidLine as error:
            group, reason = INVALID, error.reason
            if reason in _WHOLE:
                envelope = read_envelope(line.text)
                ts, seq = envelope.ts, envelope.seq
                reason = reason if self._is_new(seq, envelope.run) else DUPLICATE
            else:
                state |= ledger.UNSENDABLE
            self.tally.invalid[reason] += 1
        self.in_group[group] += 1
        if seq is not None:
            low, high = self.spans.get(group, (seq, seq))
            self.spans[group] = (min(low, seq), max(high, seq))
        if not state & ledger.UNSENDABLE:
            self.earliest = ts if self.earliest is None else min(self.earliest, ts)
            self.days.add(ts // 86_400_000_000_000)
            state |= ledger.EXPIRED if ts < kept_since else 0
        place = (line.segment, line.offset)
        if sent.is_delivered(self.journal, place):
            state |= ledger.DELIVERED
        if sent.is_quarantined(self.journal, place, line.text):
            state |= ledger.QUARANTINED
        if seq is not None:
            self.numbered.add(seq, line.text, ts, _NUMBER[group], state)
        else:
            rank = self.segments.setdefault(line.segment, len(self.segments))
            self.placed.add(rank << _PLACE_BITS | line.offset, line.text, ts, _NUMBER[group], state)

    def _count(self, record: Record) -> str:
        """Count a line that reads as an event; its group."""
        name = label(record.type)
        if not self._is_new(record.seq, record.run):
            self.tally.invalid[DUPLICATE] += 1
            self.tally.repeats[name] += 1
            return INVALID
        self.tally.events[name] += 1
        return record.kind

    def _is_new(self, seq: int | None, run: str | None) -> bool:
        """Whether no line had this `seq` in this run. Lines without them can't be told apart."""
        if seq is None or seq < 1:
            return True
        self.seqs.add(seq)
        return run is None or self.runs[run].add(seq)
