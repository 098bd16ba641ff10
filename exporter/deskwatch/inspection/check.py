"""`deskwatch journal check`: every line read, and whatever is wrong told with the file and the byte where it begins."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deskwatch.console import Progress, coloured, progress
from deskwatch.errors import InvalidLine
from deskwatch.harmless import as_json as to_json
from deskwatch.harmless import harmless
from deskwatch.journal import Record, names, read
from deskwatch.journal.ranges import Ranges
from deskwatch.journal.walk import Line, Walk, select

MAX_JUMPS = 10_000
"""Places remembered where `seq` jumped ahead: a gap is told with its place as long as there are fewer."""
_OURS = frozenset({"lock"})
"""Files of a writer's folder beside its segments."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong.

    Attributes:
        file: Path below the home's `journal` folder.
        offset: Bytes of the file before it; None where it is the file itself.
        what: `json`, `length`, `crc`, `envelope`, `fields`, `misplaced` (as `deskwatch_invalid_lines_total` counts
            them), `torn`, `gap`, `duplicate`, `order`, `foreign` or `unreadable`.
        detail: In words.
    """

    file: str
    offset: int | None
    what: str
    detail: str


def run(home: Path, bot: str | None, writer: str | None, *, limit: int, as_json: bool) -> int:
    """Print up to `limit` findings, then how many there are; 1 if there are any, else 0.

    Raises:
        ConfigError: There is no such journal.
    """
    chosen = select(home, bot, writer)
    counts: defaultdict[str, int] = defaultdict(int)
    shown: list[Finding] = []
    lines = 0
    with progress() as bars:
        checks = [Check(home, *each) for each in chosen]
        for check in checks:
            for finding in check.findings(bars):
                counts[finding.what] += 1
                if len(shown) < limit:
                    shown.append(finding)
            lines += check.lines
    for finding in foreign_folders(home) if bot is None and writer is None else ():
        counts[finding.what] += 1
        shown.append(finding)
    total = sum(counts.values())
    if as_json:
        for finding in shown:
            print(to_json(msgspec.to_builtins(finding)))
        print(to_json({"lines": lines, "journals": len(chosen), "findings": total, "by": dict(sorted(counts.items()))}))
        return 1 if total else 0
    for finding in shown:
        place = finding.file if finding.offset is None else f"{finding.file}:{finding.offset}"
        print(f"{harmless(place)}: {coloured(finding.what, 'error')}: {harmless(finding.detail)}")
    if total > len(shown):
        print(f"and {total - len(shown):,} more; --limit {total} prints all")
    of = f"{lines:,} lines of {len(chosen)} journal{'s' if len(chosen) != 1 else ''}"
    by = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    print(f"{of}: {total:,} finding{'s' if total != 1 else ''} ({by})" if total else f"{of}: nothing wrong")
    return 1 if total else 0


class Check:
    """Checks one writer's journal.

    Attributes:
        lines: How many were read.
    """

    def __init__(self, home: Path, bot: str, writer: str) -> None:
        self.bot = bot
        self.writer = writer
        self.lines = 0
        self._home = home
        self._folder = names.writer_folder(home, bot, writer)
        self._seqs = Ranges()
        self._runs: defaultdict[str, Ranges] = defaultdict(Ranges)
        self._last: int | None = None
        self._jumps: list[tuple[int, int, Line]] = []

    def findings(self, bars: Progress) -> Iterator[Finding]:
        """Everything that is wrong, in the journal's order; gaps at the end, as a later line may fill one."""
        yield from self._foreign_files()
        step = bars.begin(f"{self.bot}/{self.writer}", sum(names.sizes(self._folder).values()))
        segment = -1
        try:
            for line in Walk(self._home, self.bot, self.writer):
                self.lines += 1
                step(len(line.text) + 1)
                found = self._check(line)
                if found is not None:
                    yield found
                elif line.segment != segment and self._last not in (None, line.segment):
                    yield self._found(line, "order", f"the segment is named for seq {line.segment}, was {self._last}")
                segment = line.segment
        except OSError as error:
            file = error.filename or str(self._folder)
            yield Finding(
                file=os.path.relpath(file, names.journal_root(self._home)),
                offset=None,
                what="unreadable",
                detail=error.strerror or str(error),
            )
        yield from self._gaps()

    def _check(self, line: Line) -> Finding | None:
        if not line.whole:
            return self._found(line, "torn", f"{len(line.text)} bytes without a newline end a segment that is closed")
        try:
            record = read(line.text, self.bot, self.writer)
        except InvalidLine as error:
            return self._found(line, error.reason, error.detail)
        return self._check_order(record, line)

    def _check_order(self, record: Record, line: Line) -> Finding | None:
        """Look at `seq`, where the line has one: each once in its run, and in order."""
        seq, last = record.seq, self._last
        if seq is None:
            return None
        is_new = self._seqs.add(seq)
        in_run = record.run is None or self._runs[record.run].add(seq)
        if not in_run:
            return self._found(line, "duplicate", f"seq {seq} of run {record.run} was there before")
        if last is None or seq > last:
            if last is not None and seq != last + 1 and len(self._jumps) < MAX_JUMPS:
                self._jumps.append((last + 1, seq - 1, line))
            self._last = seq
            return None
        again = "" if is_new else ", which another run used before"
        return self._found(line, "order", f"seq {seq} comes after {last}{again}")

    def _gaps(self) -> Iterator[Finding]:
        """What no line filled. A gap that begins where `seq` jumped ahead is told at the line behind it."""
        places = {first: line for first, _, line in self._jumps}
        for first, last in self._seqs.holes():
            many = (
                f"seq {first} is missing"
                if first == last
                else f"seq {first} to {last} are missing ({last - first + 1:,})"
            )
            line = places.get(first)
            if line is not None:
                yield self._found(line, "gap", f"{many} before this line")
            else:
                yield Finding(file=f"{self.bot}/{self.writer}", offset=None, what="gap", detail=many)

    def _foreign_files(self) -> Iterator[Finding]:
        for name in sorted(os.listdir(self._folder)):
            if name not in _OURS and not names.is_segment(name):
                file = f"{self.bot}/{self.writer}/{name}"
                yield Finding(file=file, offset=None, what="foreign", detail="no segment of a journal; move it away")

    def _found(self, line: Line, what: str, detail: str) -> Finding:
        file = f"{self.bot}/{self.writer}/{names.segment_name(line.segment)}"
        return Finding(file=file, offset=line.offset, what=what, detail=detail)


def foreign_folders(home: Path) -> Iterator[Finding]:
    """What lies among the folders of bots and writers and is none."""
    root = names.journal_root(home)
    bots = names.bots(home)
    for parent, known in [(Path(), bots), *((Path(bot), names.writers(home, bot)) for bot in bots)]:
        for name in sorted(set(os.listdir(root / parent)) - set(known)):
            detail = "no folder of a bot's or a writer's name; nothing in it is read"
            yield Finding(file=str(parent / name), offset=None, what="foreign", detail=detail)
