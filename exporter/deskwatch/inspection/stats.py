"""`deskwatch journal stats`: what each journal holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from deskwatch.console import Progress, print_table, progress
from deskwatch.errors import InvalidLine
from deskwatch.harmless import as_json as to_json
from deskwatch.journal import names, read
from deskwatch.journal.ranges import Ranges
from deskwatch.journal.walk import Walk, select
from deskwatch.moment import local_time

_NONE = "-"
_SPARE = ("files", "runs", "first", "events/s", "size")
"""Columns that a narrow terminal goes without."""


class Stats:
    """Figures of one writer's journal.

    Attributes:
        types: Events by type.
        invalid: Lines that are no event, by reason.
        first: Time of the earliest event, nanoseconds since 1970; None where there is none. `last` likewise.
    """

    def __init__(self, bot: str, writer: str) -> None:
        self.bot = bot
        self.writer = writer
        self.segments = 0
        self.bytes = 0
        self.types: Counter[str] = Counter()
        self.invalid: Counter[str] = Counter()
        self.seqs = Ranges()
        self.runs: set[str] = set()
        self.first: int | None = None
        self.last: int | None = None

    @property
    def events(self) -> int:
        """How many events."""
        return self.types.total()

    @property
    def rate(self) -> float | None:
        """Events per second between the first and the last; None where that is no time."""
        if self.first is None or self.last is None or self.last <= self.first:
            return None
        return self.events / (self.last - self.first) * 1e9

    def as_row(self) -> dict[str, Any]:
        """The figures as JSON holds them; times in nanoseconds since 1970."""
        span = self.seqs.span
        return {
            "bot": self.bot,
            "writer": self.writer,
            "segments": self.segments,
            "bytes": self.bytes,
            "events": self.events,
            "invalid": dict(sorted(self.invalid.items())),
            "first_ts": self.first,
            "last_ts": self.last,
            "first_seq": span and span[0],
            "last_seq": span and span[1],
            "runs": len(self.runs),
            "events_per_second": self.rate,
        }


def run(home: Path, bot: str | None, writer: str | None, *, by_type: bool, as_json: bool) -> int:
    """Print the figures; 0.

    Raises:
        ConfigError: There is no such journal.
    """
    chosen = select(home, bot, writer)
    with progress() as bars:
        found = [measure(home, *each, bars) for each in chosen]
    if as_json:
        for one in found:
            print(to_json(one.as_row() | ({"types": dict(sorted(one.types.items()))} if by_type else {})))
    elif by_type:
        columns = [("bot", False), ("writer", False), ("type", False), ("events", True)]
        rows = [(one.bot, one.writer, name, f"{count:,}") for one in found for name, count in one.types.most_common()]
        print_table(columns, [[(cell, "") for cell in row] for row in rows])
    else:
        _print(found)
    return 0


def measure(home: Path, bot: str, writer: str, bars: Progress) -> Stats:
    """Read a writer's journal up to its end of now."""
    stats = Stats(bot, writer)
    sizes = names.sizes(names.writer_folder(home, bot, writer))
    stats.segments, stats.bytes = len(sizes), sum(sizes.values())
    step = bars.begin(f"{bot}/{writer}", stats.bytes)
    for line in Walk(home, bot, writer):
        step(len(line.text) + 1)
        try:
            record = read(line.text, bot, writer)
        except InvalidLine as error:
            stats.invalid[error.reason] += 1
            continue
        stats.types[record.type] += 1
        if record.seq is not None:
            stats.seqs.add(record.seq)
        if record.run is not None:
            stats.runs.add(record.run)
        stats.first = record.ts if stats.first is None else min(stats.first, record.ts)
        stats.last = record.ts if stats.last is None else max(stats.last, record.ts)
    return stats


def _print(found: list[Stats]) -> None:
    columns = [
        ("journal", False),
        ("files", True),
        ("size", True),
        ("events", True),
        ("invalid", True),
        ("seq", True),
        ("runs", True),
        ("events/s", True),
        ("first", False),
        ("last", False),
    ]
    rows = []
    for one in found:
        span, invalid = one.seqs.span, one.invalid.total()
        rows.append(
            [
                (f"{one.bot}/{one.writer}", ""),
                (f"{one.segments:,}", ""),
                (_size(one.bytes), ""),
                (f"{one.events:,}", ""),
                (f"{invalid:,}", "error" if invalid else ""),
                (_NONE if span is None else f"{span[0]}..{span[1]}", ""),
                (f"{len(one.runs):,}", ""),
                (_NONE if one.rate is None else f"{one.rate:,.3g}" if one.rate < 100 else f"{one.rate:,.0f}", ""),
                (_NONE if one.first is None else local_time(one.first)[:19], ""),
                (_NONE if one.last is None else local_time(one.last)[:19], ""),
            ]
        )
    print_table(columns, rows, _SPARE)


def _size(count: int) -> str:
    """Bytes as people say them, in powers of 1024."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"
