"""Watches: bots that a source writes the journal of, and what was told long after it happened."""

from __future__ import annotations

from typing import Any

from deskwatch.events import WatchStarted, WatchStopped
from deskwatch.journal import Record
from deskwatch.journal.names import CONTROL
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

LATE_SECONDS = 60.0
"""What is told so long after it happened is history: from before deskwatch watched, or from an outage."""


class Watches:
    """Who is watched, and when history was told of it: rates over that moment are no rates."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.watched = registry.gauge(
            "tradebot_watched",
            "1 while a source of this kind watches the bot and journals for it, 0 after it ceased in good order.",
            "bot",
            "kind",
        )
        self.history = registry.gauge(
            "tradebot_history_told_timestamp_seconds",
            "Unix time at which an event was told last that had happened more than a minute before.",
            "bot",
        )
        registry.on(WatchStarted, self._started)
        registry.on(WatchStopped, self._stopped)
        registry.on_every(self._seen)

    def _seen(self, record: Record) -> None:
        happened = getattr(record.event, "happened_timestamp_seconds", None)  # an unknown event has none
        if happened is not None and record.writer != CONTROL and record.seconds - happened > LATE_SECONDS:
            self.history.set_time((record.bot,))

    def _started(self, record: Record, event: WatchStarted) -> None:
        self.watched.set((record.bot, label(event.source)), 1)

    def _stopped(self, record: Record, event: WatchStopped) -> None:
        self.watched.set((record.bot, label(event.source)), 0)
