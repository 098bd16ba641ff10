"""The journal itself: what was followed and what could not be read."""

from __future__ import annotations

from typing import Any

from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Journal:
    """Every line counts once: as an event, or as invalid with a reason."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.events = registry.counter("deskwatch_events", "Journal lines followed.", "bot", "writer", "type")
        self.invalid = registry.counter(
            "deskwatch_invalid_lines", "Journal lines that are no event.", "bot", "writer", "reason"
        )
        registry.on_every(self._followed)

    def _followed(self, record: Record) -> None:
        self.events.inc((record.bot, record.writer, label(record.type)))
