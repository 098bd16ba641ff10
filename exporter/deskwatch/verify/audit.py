"""One verification from end to end: ask each side in an order that a busy bot does not upset, compare, mend."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

import msgspec

from deskwatch.console import Progress
from deskwatch.journal import Position, names
from deskwatch.journal.walk import Walk, select
from deskwatch.verify import against_loki, against_metrics, removed
from deskwatch.verify.counting import Count
from deskwatch.verify.findings import Findings
from deskwatch.verify.loki import Loki
from deskwatch.verify.matching import Matching
from deskwatch.verify.metrics import WAIT_SECONDS, Metrics, Scrape, behind
from deskwatch.verify.removed import Removed
from deskwatch.verify.repair import Pusher, Repaired, repair
from deskwatch.verify.sent import Sent

MAX_TRIES = 5
"""Retention may take a segment away while it is counted: then all is counted again, so often."""
_PAUSE_SECONDS = 0.1


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be verified.

    Attributes:
        bot: Only this one; None for all.
        metrics_url: Base URL of the sidecar; None to leave it out.
        loki_keeps_seconds: Age beyond which Loki may have deleted; None for none.
        loki_keeps_is_told: Whether the operator said anything about it.
        repair_seconds: How long a repair may take; None for no repair.
        repair_older: Ship again even what Loki may have and not show yet.
    """

    home: Path
    bot: str | None = None
    metrics_url: str | None = None
    token_file: Path | None = None
    loki_keeps_seconds: float | None = None
    loki_keeps_is_told: bool = False
    repair_seconds: float | None = None
    repair_older: bool = False


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification came to. `repaired` is None where nothing was shipped again."""

    question: Question
    findings: Findings
    with_loki: bool
    lines: int
    repaired: Repaired | None = None


class LokiAccess(Protocol):
    """How to reach Loki."""

    def reader(self) -> Loki:
        """For reading."""

    def push(self) -> Pusher:
        """For shipping again."""


class Audit:
    """Runs one verification, and with a repair a second one behind it."""

    def __init__(self, question: Question, loki: LokiAccess | None, bars: Progress) -> None:
        self._question = question
        self._loki = loki
        self._bars = bars
        self._counts: dict[tuple[str, str], Count] = {}
        self._shown_since = 0.0

    def run(self) -> Result:
        """Compare, mend if that was asked for and is needed, and compare again.

        Raises:
            ConfigError: There is no such journal.
            Unreachable: A side can't be asked.
        """
        findings = self._compare()
        seconds = self._question.repair_seconds
        if seconds is None or self._loki is None or not any(one.what == "missing" for one in findings.differences):
            return self._result(findings, None)
        if findings.may_be_expired and not self._question.loki_keeps_is_told:
            findings.hints.append(
                "nothing was shipped again: to have lines that Loki deleted for their age shipped all the same, give "
                "--loki-keeps forever"
            )
            return self._result(findings, None)
        repaired = repair(self._question.home, self._counts, self._loki.push(), seconds, self._repair_since())
        return self._result(self._compare(), repaired)

    def _result(self, findings: Findings, repaired: Repaired | None) -> Result:
        lines = sum(sum(count.in_group.values()) for count in self._counts.values())
        return Result(
            question=self._question,
            findings=findings,
            with_loki=self._loki is not None,
            lines=lines,
            repaired=repaired,
        )

    def _repair_since(self) -> float:
        return 0.0 if self._question.repair_older else self._shown_since

    def _compare(self) -> Findings:
        base, before, after, lagging = self._count()
        findings = Findings()
        findings.take_journals(self._counts)
        if before is not None and after is not None:
            against_metrics.compare(findings, self._counts, base, before, after)
            for journal in lagging:
                if journal in self._counts:
                    words = "the sidecar does not follow it to its end: can it read it, and is this the home it serves?"
                    findings.differ("followed", journal, "all", 1, words)
        if self._loki is not None:
            reader = self._loki.reader()
            try:
                bots = sorted({bot for bot, _ in self._counts})
                self._shown_since = max(0.0, time.time() - reader.hides_older_than())
                matched = Matching(self._counts, base).read(reader, bots, time.time_ns(), self._bars)
            finally:
                reader.close()
            against_loki.compare(findings, self._counts, matched, self._shown_since)
            self._note_undelivered(findings)
        findings.sum_up()
        return findings

    def _count(self) -> tuple[Removed, Scrape | None, Scrape | None, list[tuple[str, str]]]:
        """Count the journals; what retention had removed, the scrapes around the count, and who lags behind.

        The order matters. The scrape comes first, so that the journal holds what it counted; then the sink's cursor, so
        that the journal holds what it says is delivered.
        """
        question = self._question
        url = question.metrics_url
        metrics = None if url is None else Metrics(url, question.token_file, question.home)
        try:
            for tries in range(MAX_TRIES, 0, -1):
                base = removed.load(question.home)
                journals = select(question.home, question.bot)
                before = None
                if metrics is not None:
                    goal = {journal: Walk(question.home, *journal).stop for journal in journals}
                    before = metrics.scrape_at(goal)
                self._read(journals, base, before)
                if tries > 1 and self._is_upset(base, before):
                    continue
                break
            after = before
            lagging: list[tuple[str, str]] = []
            if metrics is not None and before is not None:
                if before.followed is None:
                    after = self._scrape_after(metrics, base)
                else:
                    lagging = behind(before, goal)
            return self._only_asked(base), self._only(before), self._only(after), lagging
        finally:
            if metrics is not None:
                metrics.close()

    def _read(self, journals: list[tuple[str, str]], base: Removed, scrape: Scrape | None) -> None:
        home, keeps = self._question.home, self._question.loki_keeps_seconds
        kept_since = 0 if keeps is None else time.time_ns() - int(keeps * 1e9)
        sent = Sent() if self._loki is None else Sent().load(home)
        self._counts = {}
        for bot, writer in journals:
            folder = names.writer_folder(home, bot, writer)
            start = base.start_of((bot, writer), names.segments(folder))
            count = Count(home, bot, writer, start=start)
            followed = (
                None if scrape is None or scrape.followed is None else scrape.followed.get((bot, writer), Position())
            )
            step = self._bars.begin(f"{bot}/{writer}", sum(names.sizes(folder).values()))
            count.read(sent, followed=followed, kept_since=kept_since, step=step)
            self._counts[bot, writer] = count

    def _is_upset(self, base: Removed, scrape: Scrape | None) -> bool:
        """Whether retention was at work meanwhile, so that base, scrape and count don't belong together."""
        now = removed.load(self._question.home)
        followed = {} if scrape is None else scrape.followed or {}
        return now != base or any(count.start > followed.get(key, count.start) for key, count in self._counts.items())

    def _scrape_after(self, metrics: Metrics, base: Removed) -> Scrape:
        """A scrape that has everything that was counted, if that comes within the time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            after = metrics.scrape()
            if against_metrics.reaches(self._counts, self._only_asked(base), after) or time.monotonic() >= deadline:
                return after
            time.sleep(_PAUSE_SECONDS)

    def _only(self, scrape: Scrape | None) -> Scrape | None:
        """A scrape without the bots that were not asked about."""
        bot = self._question.bot
        if scrape is None or bot is None:
            return scrape
        return msgspec.structs.replace(
            scrape,
            events=type(scrape.events)({key: number for key, number in scrape.events.items() if key[0] == bot}),
            invalid=type(scrape.invalid)({key: number for key, number in scrape.invalid.items() if key[0] == bot}),
        )

    def _only_asked(self, base: Removed) -> Removed:
        bot = self._question.bot
        if bot is None:
            return base
        return Removed(
            positions={key: at for key, at in base.positions.items() if key[0] == bot},
            events={key: number for key, number in base.events.items() if key[0] == bot},
            invalid={key: number for key, number in base.invalid.items() if key[0] == bot},
        )

    def _note_undelivered(self, findings: Findings) -> None:
        waiting = sum(count.undelivered() for count in self._counts.values())
        if waiting:
            findings.notes.append(f"{waiting:,} of the newest lines were not delivered to Loki yet, and not asked for")
