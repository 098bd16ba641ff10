"""The journal itself: what was followed, what could not be read, and what is not as it was written.

Reasons of `deskwatch_journal_faults_total`: `gap` (a `seq` beyond the expected one: a hole), `reordered` (a line of a
hole came late), `restarted` (a `seq` was given again by another run: the journal was removed, or lost its tail),
`truncated` (a segment is shorter than what was read), `vanished` (a segment is gone that was not read to its end),
`replaced` (a segment holds other bytes than those that were read).
"""

from __future__ import annotations

from typing import Any

from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

INVALID_REASONS = ("crc", "duplicate", "envelope", "fields", "json", "length", "misplaced")
"""Why a line is no event, in the words of `InvalidLine.reason`; and `duplicate`: it was seen before."""
FAULTS = ("gap", "reordered", "replaced", "restarted", "truncated", "vanished")
"""As above."""


class Journal:
    """Every line counts once: as an event, or as invalid with a reason. They start at 0 with the journal's first."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.events = registry.counter("deskwatch_events", "Journal lines followed.", "bot", "writer", "type")
        self.invalid = registry.counter(
            "deskwatch_invalid_lines", "Journal lines that are no event.", "bot", "writer", "reason"
        )
        self.faults = registry.counter(
            "deskwatch_journal_faults", "Times a journal was not as it was written.", "bot", "writer", "reason"
        )
        self.missing = registry.gauge(
            "deskwatch_journal_missing_events", "Events that a journal should hold and doesn't.", "bot", "writer"
        )
        self.fold_failures = registry.counter(
            "deskwatch_fold_failures", "Events that figures lack in part by a fault of deskwatch.", "bot"
        )
        for family in (self.events, self.invalid, self.faults):
            family.reconciles = True
        registry.on_every(self._followed)

    def _followed(self, record: Record) -> None:
        key = (record.bot, record.writer, label(record.type))
        if key not in self.events.cells and (*key[:2], INVALID_REASONS[0]) not in self.invalid.cells:
            self._begin(key[:2])
        self.events.inc(key)

    def _begin(self, journal: tuple[str, str]) -> None:
        """Show that nothing was wrong with a writer's journal so far."""
        for reason in INVALID_REASONS:
            self.invalid.inc((*journal, reason), 0)
        for fault in FAULTS:
            self.faults.inc((*journal, fault), 0)
        self.fold_failures.inc(journal[:1], 0)
