"""Holding the journals against what `/metrics` counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.projections.metrics.label import OTHER
from deskwatch.verify.counting import DUPLICATE, INVALID, Count
from deskwatch.verify.findings import ALL, Findings
from deskwatch.verify.metrics import Scrape
from deskwatch.verify.removed import Removed

Key = tuple[str, str, str]
"""Bot, writer, and a type or a reason."""


def compare(
    findings: Findings, counts: Mapping[tuple[str, str], Count], removed: Removed, before: Scrape, after: Scrape
) -> None:
    """Tell where the counters are not what the journals, and what was removed from them, come to.

    A sidecar that tells how far its counters have followed a journal is held to exactly that: both scrapes are then the
    same one. Where it doesn't tell, the journal must lie between the scrapes before and after it was counted.
    """
    exact = after.followed is not None
    newer = 0
    events, invalid, repeats = Counter(removed.events), Counter(removed.invalid), Counter[Key]()
    for (bot, writer), count in counts.items():
        findings.row(bot, writer, ALL).metrics = 0
        tally = (count.followed if exact else None) or count.tally
        for total, part in ((events, tally.events), (invalid, tally.invalid), (repeats, tally.repeats)):
            for name, number in part.items():
                total[bot, writer, name] += number
        if count.followed_bytes_gone:
            words = "the journal ends before the place that the sidecar has followed it to: lines are gone"
            findings.differ("followed", count.journal, ALL, 1, words)
        newer += count.tally.total() - tally.total()
    if newer:
        findings.notes.append(f"{newer:,} of the newest lines were written after /metrics was asked, and not compared")
    _compare(findings, counts, (events, repeats), (before.events, after.events), removed.events, exact=exact)
    if not exact:  # and so older than the counting of what was there before
        invalid = Counter({key: number for key, number in invalid.items() if key[2] != DUPLICATE})
    nothing = Counter[Key]()
    _compare(
        findings, counts, (invalid, nothing), (before.invalid, after.invalid), removed.invalid, INVALID, exact=exact
    )


def reaches(counts: Mapping[tuple[str, str], Count], removed: Removed, after: Scrape) -> bool:
    """Whether the counters have come to all that was counted: asked of a sidecar that doesn't tell how far it is."""
    wanted = Counter(removed.events)
    for (bot, writer), count in counts.items():
        for name, number in count.tally.events.items():
            wanted[bot, writer, name] += number
    return all(after.events[key] >= number for key, number in wanted.items())


def _compare(
    findings: Findings,
    counts: Mapping[tuple[str, str], Count],
    wanted: tuple[Counter[Key], Counter[Key]],
    scraped: tuple[Counter[Key], Counter[Key]],
    removed: Mapping[Key, int],
    group: str | None = None,
    *,
    exact: bool,
) -> None:
    """Compare one metric's series; `wanted` is what they should be, and what an older sidecar may count beside."""
    (numbers, repeats), (low, high) = wanted, scraped
    other = sum(number for key, number in high.items() if OTHER in key)
    what = "lines" if group == INVALID else "events"
    for key in sorted(key for key in numbers.keys() | high.keys() if OTHER not in key):
        bot, writer, name = key
        kind = group or KINDS.get(name, UNKNOWN_KIND)
        gone = removed.get(key, 0)
        row = findings.row(bot, writer, kind)
        row.metrics = (row.metrics or 0) + high[key] - gone
        findings.row(bot, writer, ALL)
        number = numbers[key]
        if low[key] <= number <= high[key] or (not exact and low[key] <= number + repeats[key] <= high[key]):
            continue
        if other and high[key] == 0:
            continue  # folded into the series of all that the family had no room for
        base = f", {gone:,} of them removed by retention" if gone else ""
        words = f"{name}: expected {number:,} {what} in the metrics as in the journal{base}, was {high[key]:,}"
        if (bot, writer) not in counts:
            words += "; there is no such journal in this home"
        findings.differ("metrics", (bot, writer), kind, abs(number - high[key]), words)
    if other:
        findings.notes.append(f"{other:,} {what} are counted under {OTHER}: too many series to compare each")
