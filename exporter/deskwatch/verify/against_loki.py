"""Holding what Loki returned against what the sink says it delivered."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping

from deskwatch.journal.ranges import Ranges
from deskwatch.verify.counting import GROUPS, INVALID, Count
from deskwatch.verify.findings import ALL, Findings, lines_of, ranges_of, seqs
from deskwatch.verify.ledger import DELIVERED, EXPIRED, FOUND, QUARANTINED, REPEATED, UNSENDABLE, Ledger
from deskwatch.verify.matching import Matched

MIN_RETENTION_SECONDS = 86400
"""Loki deletes nothing that is younger, whatever it is told."""
EXCUSED = FOUND | QUARANTINED | EXPIRED | REPEATED
"""States of rows that are not missing."""


def is_missing(state: int) -> bool:
    """Whether a row's line should be in Loki, or in the quarantine where it can't be sent, and isn't."""
    return bool(state & DELIVERED) and not state & EXCUSED


def compare(
    findings: Findings, counts: Mapping[tuple[str, str], Count], matched: Matched, shown_since: float = 0.0
) -> None:
    """Tell what is missing in Loki, changed, there twice, or there and in no journal.

    Args:
        findings: Where to tell it.
        counts: The journals, their ledgers marked with what Loki returned.
        matched: What else it returned.
        shown_since: Seconds since 1970; Loki may not show yet what is older.
    """
    ages = Ages()
    for count in counts.values():
        lost: defaultdict[str, Lost] = defaultdict(Lost)
        whole = findings.row(count.bot, count.writer, ALL)
        whole.loki = whole.quarantined = whole.missing = whole.duplicates = 0
        for ledger in (count.numbered, count.placed):
            _look(findings, count, ledger, lost, ages)
        for group, one in sorted(lost.items()):
            _tell_lost(findings, count, group, one)
    for (bot, writer, group), number in matched.repeated.items():
        row = findings.row(bot, writer, group)
        row.duplicates = (row.duplicates or 0) + number
        ranges = ranges_of(matched.repeated_keys[bot, writer, group])
        words = f"Loki returns {lines_of(number)} again{': ' if ranges else ''}{seqs(ranges)}"
        findings.differ("duplicates", (bot, writer), group, number, words, ranges)
    for (bot, writer, group), keys in matched.changed.items():
        ranges = ranges_of(keys)
        words = f"Loki has {seqs(ranges)} as the journal has it no longer: changed or damaged since it was shipped"
        findings.differ("changed", (bot, writer), group, len(keys), words, ranges)
    _tell_strangers(findings, matched)
    if ages.oldest_missing < shown_since:
        findings.hints.append(
            "some are old, and Loki shows an old line only once it has flushed it, up to two hours after it took it: "
            "verify again later, or let Loki look everywhere (query_store_max_look_back_period: -1ns, as in "
            "loki/loki.yml); --repair leaves such lines alone unless you add --repair-older"
        )
    if ages.look_deleted:
        findings.may_be_expired = True
        findings.hints.append(
            "the missing lines are the oldest of every kind: Loki may no longer keep them; if so, say how long it "
            "keeps lines, with --loki-keeps 30d for instance"
        )


class Lost:
    """Lines of one group that should be somewhere and aren't."""

    def __init__(self) -> None:
        self.seqs = Ranges()
        self.sendable = 0
        self.unsendable = 0

    def take(self, seq: int | None, *, sendable: bool) -> None:
        """Count one line."""
        self.sendable += sendable
        self.unsendable += not sendable
        if sendable and seq is not None:
            self.seqs.add(seq)


class Ages:
    """Whether the missing lines are the oldest of every kind, which is how a log store's own retention looks."""

    def __init__(self) -> None:
        self._oldest_found: dict[tuple[str, str, str], int] = {}
        self._newest_missing: dict[tuple[str, str, str], int] = {}
        self._oldest_missing = math.inf

    def take(self, group: tuple[str, str, str], seconds: int, *, found: bool) -> None:
        """Take in one line that should be there; `seconds` since 1970."""
        if found:
            self._oldest_found[group] = min(seconds, self._oldest_found.get(group, seconds))
        else:
            self._oldest_missing = min(seconds, self._oldest_missing)
            self._newest_missing[group] = max(seconds, self._newest_missing.get(group, seconds))

    @property
    def oldest_missing(self) -> float:
        """Time of the oldest missing line, seconds since 1970; infinite where nothing is missing."""
        return self._oldest_missing

    @property
    def look_deleted(self) -> bool:
        """Whether in every kind what is missing is older than what is there, and old enough to be deleted."""
        if not self._newest_missing:
            return False
        newest = max(self._newest_missing.values())
        if newest > time.time() - MIN_RETENTION_SECONDS:
            return False
        for group, oldest in self._oldest_found.items():
            missing = self._newest_missing.get(group)
            # A kind that misses nothing may have had nothing that old; deleting goes by chunks of up to a day.
            if oldest < (newest - MIN_RETENTION_SECONDS if missing is None else missing):
                return False
        return True


def _look(findings: Findings, count: Count, ledger: Ledger, lost: dict[str, Lost], ages: Ages) -> None:
    """Go over a ledger's rows: count them into the rows of the table, and find what is lost."""
    found, quarantined, missing = ([0] * len(GROUPS) for _ in range(3))
    oldest: dict[int, int] = {}
    for at, (state, group) in enumerate(zip(ledger.states, ledger.groups, strict=True)):
        if state & FOUND:
            found[group] += 1
            if group not in oldest or ledger.seconds[at] < oldest[group]:
                oldest[group] = ledger.seconds[at]
        if state & QUARANTINED:
            quarantined[group] += 1
        if is_missing(state):
            missing[group] += 1
            key = ledger.keys[at] if ledger is count.numbered else None
            lost[GROUPS[group]].take(key, sendable=not state & UNSENDABLE)
            if not state & UNSENDABLE:
                ages.take((count.bot, count.writer, GROUPS[group]), ledger.seconds[at], found=False)
    for group, seconds in oldest.items():
        ages.take((count.bot, count.writer, GROUPS[group]), seconds, found=True)
    for group in set(ledger.groups):
        row = findings.row(count.bot, count.writer, GROUPS[group])
        row.loki = (row.loki or 0) + found[group]
        row.quarantined = (row.quarantined or 0) + quarantined[group]
        row.missing = (row.missing or 0) + missing[group]
        row.duplicates = row.duplicates or 0


def _tell_lost(findings: Findings, count: Count, group: str, lost: Lost) -> None:
    if lost.sendable:
        parts = [seqs(list(lost.seqs))] if len(lost.seqs) else []
        if lost.sendable > len(lost.seqs):
            parts.append(f"{lines_of(lost.sendable - len(lost.seqs))} without seq")
        words = f"{lines_of(lost.sendable)} missing in Loki: {', '.join(parts)}"
        findings.differ("missing", count.journal, group, lost.sendable, words, list(lost.seqs))
    if lost.unsendable:
        words = f"{lines_of(lost.unsendable)} that can't be sent should lie in the quarantine, and don't"
        findings.differ("quarantine", count.journal, group, lost.unsendable, words)


def _tell_strangers(findings: Findings, matched: Matched) -> None:
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for one in matched.strangers:
        found[one.bot, one.writer, one.kind].append(one.key)
    for (bot, writer, kind), keys in sorted(found.items()):
        ranges = ranges_of(keys)
        words = f"Loki has {lines_of(len(keys))} that no journal of this home has{': ' if ranges else ''}{seqs(ranges)}"
        findings.differ("unexpected", (bot, writer), kind if kind in GROUPS else INVALID, len(keys), words, ranges)
    if matched.more_strangers:
        bot, writer, _, _ = matched.strangers[-1]
        words = f"and {lines_of(matched.more_strangers)} more that no journal of this home has"
        findings.differ("unexpected", (bot, writer), ALL, matched.more_strangers, words)
