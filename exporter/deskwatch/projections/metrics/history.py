"""History: what was told long after it happened."""

from __future__ import annotations

from typing import Any

from deskwatch.journal import Record
from deskwatch.journal.names import CONTROL
from deskwatch.projections.metrics.registry import Registry

LATE_SECONDS = 300.0
"""What is told so long after it happened is from before deskwatch watched, or from an outage, not from a slow poll."""


class History:
    """When history was told of a bot: rates over that moment are no rates."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.told = registry.gauge(
            "tradebot_history_told_timestamp_seconds",
            "Unix time at which an event was told last that had happened more than 5 minutes before.",
            "bot",
        )
        registry.on_every(self._seen)

    def _seen(self, record: Record) -> None:
        happened = getattr(record.event, "happened_timestamp_seconds", None)  # an unknown event has none
        if happened is not None and record.writer != CONTROL and record.seconds - happened > LATE_SECONDS:
            self.told.set_time((record.bot,))
