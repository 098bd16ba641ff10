"""What a comparison comes to: a row for each bot, writer and kind, and each difference with its ranges of `seq`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from deskwatch.journal.ranges import Ranges
from deskwatch.verify.counting import DUPLICATE, INVALID, Count

ALL = "all"
"""The kind of a row that sums up a writer."""
TOLD_RANGES = 5
"""Ranges that a difference names before it says how many more there are."""
Range = tuple[int, int]
"""First and last, both within."""


class Row(msgspec.Struct, kw_only=True):
    """What each side has of one bot's writer and kind. None where a side was not asked.

    Attributes:
        journal: Lines that the journal keeps.
        metrics: Lines that the metrics counted, less those that retention removed from the journal.
        loki: Of the journal's lines, those that Loki returned.
        missing: Lines that the sink says are delivered, and that Loki did not return.
        duplicates: Entries that Loki returned again.
        gaps: Numbers that no line has; on a writer's row only.
    """

    bot: str
    writer: str
    kind: str
    first_seq: int | None = None
    last_seq: int | None = None
    journal: int = 0
    metrics: int | None = None
    loki: int | None = None
    quarantined: int | None = None
    missing: int | None = None
    duplicates: int | None = None
    gaps: int | None = None
    ok: bool = True


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the sides differ.

    Attributes:
        what: `metrics`, `followed`, `missing`, `quarantine`, `unexpected`, `changed`, `duplicates` (in Loki),
            `repeats` (in the journal) or `gaps`.
        ranges: By `seq`; empty where the lines have none.
        words: The whole of it, for people.
    """

    what: str
    bot: str
    writer: str
    kind: str
    count: int
    ranges: list[Range]
    words: str


class Findings:
    """Collects rows and differences.

    Attributes:
        differences: In the order of finding.
        hints: What may be behind them.
        notes: What is no difference, and worth knowing.
        may_be_expired: Whether what is missing may be what Loki itself deleted for its age.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Row] = {}
        self.differences: list[Difference] = []
        self.hints: list[str] = []
        self.notes: list[str] = []
        self.may_be_expired = False

    @property
    def ok(self) -> bool:
        """Whether all agree."""
        return not self.differences

    @property
    def rows(self) -> list[Row]:
        """Each writer's sum, then its kinds."""
        return [self._rows[key] for key in sorted(self._rows, key=lambda key: (key[:2], key[2] != ALL, key[2]))]

    def row(self, bot: str, writer: str, kind: str) -> Row:
        """The row of a kind; a new one where there is none yet."""
        key = (bot, writer, kind)
        if key not in self._rows:
            self._rows[key] = Row(bot=bot, writer=writer, kind=kind)
        return self._rows[key]

    def differ(
        self, what: str, journal: tuple[str, str], kind: str, count: int, words: str, ranges: list[Range] | None = None
    ) -> None:
        """Tell of a difference; a kind of ALL is one that belongs to no kind."""
        bot, writer = journal
        self.row(bot, writer, kind).ok = False
        self.row(bot, writer, ALL).ok = False
        self.differences.append(
            Difference(what=what, bot=bot, writer=writer, kind=kind, count=count, ranges=ranges or [], words=words)
        )

    def take_journals(self, counts: Mapping[tuple[str, str], Count]) -> None:
        """Rows for what the journals hold, and what is wrong within each."""
        for count in counts.values():
            for group, lines in count.in_group.items():
                row = self.row(count.bot, count.writer, group)
                row.journal = lines
                row.first_seq, row.last_seq = count.spans.get(group, (None, None))
            holes = count.seqs.holes(count.start.segment or 1)
            whole = self.row(count.bot, count.writer, ALL)
            whole.gaps = sum(last - first + 1 for first, last in holes)
            if count.spans:
                whole.first_seq = min(first for first, _ in count.spans.values())
                whole.last_seq = max(last for _, last in count.spans.values())
            if holes:
                unreadable = count.in_group[INVALID]
                more = f"; {lines_of(unreadable)} of this journal can't be counted as events" if unreadable else ""
                words = f"no event of the journal has {seqs(holes)}{more}"
                self.differ("gaps", count.journal, ALL, whole.gaps, words, holes)
            repeats = count.tally.invalid[DUPLICATE]
            if repeats:
                words = f"{lines_of(repeats)} stood in the journal before, with the same run and seq"
                self.differ("repeats", count.journal, INVALID, repeats, words)

    def sum_up(self) -> None:
        """Fill in each writer's row from those of its kinds."""
        for whole in [row for row in self._rows.values() if row.kind == ALL]:
            parts = [
                row for row in self.rows if (row.bot, row.writer) == (whole.bot, whole.writer) and row is not whole
            ]
            whole.journal = sum(row.journal for row in parts)
            for name in ("metrics", "loki", "quarantined", "missing", "duplicates"):
                known = [number for row in parts if (number := getattr(row, name)) is not None]
                setattr(whole, name, sum(known) if known else getattr(whole, name))


def lines_of(count: int) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{count:,} line{'' if count == 1 else 's'}"


def seqs(ranges: list[Range]) -> str:
    """`seq 3, 7..9 and 4 more ranges`; nothing for no ranges."""
    told = ", ".join(str(first) if first == last else f"{first}..{last}" for first, last in ranges[:TOLD_RANGES])
    more = len(ranges) - TOLD_RANGES
    behind = f" and {more:,} more range{'' if more == 1 else 's'}" if more > 0 else ""
    return f"seq {told}{behind}" if ranges else ""


def ranges_of(numbers: list[int]) -> list[Range]:
    """The ranges of the `seq` among these; -1 stands for none."""
    return list(Ranges(number for number in numbers if number >= 0))
