"""Watches: whether a source watches a bot that writes no journal."""

from __future__ import annotations

from typing import Any

from deskwatch.events import WatchStarted, WatchStopped
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Watches:
    """Of one bot there may be several: of its exchange's account by one kind, of its wallet by another."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.watched = registry.gauge(
            "tradebot_watched", "1 while a source of this kind watches the bot; 0 once it ceased to.", "bot", "kind"
        )
        self.starts = registry.counter(
            "tradebot_watch_starts", "Times that a source of this kind began to watch the bot.", "bot", "kind"
        )
        registry.on(WatchStarted, self._started)
        registry.on(WatchStopped, self._stopped)

    def _started(self, record: Record, event: WatchStarted) -> None:
        key = (record.bot, label(event.source))
        self.watched.set(key, 1)
        self.starts.inc(key)

    def _stopped(self, record: Record, event: WatchStopped) -> None:
        self.watched.set((record.bot, label(event.source)), 0)
