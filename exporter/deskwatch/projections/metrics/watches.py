"""Watches: whether a source watches a bot that writes no journal."""

from __future__ import annotations

from typing import Any

from deskwatch.events import WatchStarted, WatchStopped
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.memory import MAX_WRITERS, keep
from deskwatch.projections.metrics.registry import Registry


class Watches:
    """Of one bot there may be several: of its exchange's account by one kind, of its wallets by another.

    `memory` holds each bot's writers that watch, and their kinds: there may be one of a kind for each chain, say.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.watched = registry.gauge(
            "tradebot_watched", "1 while a source of this kind watches the bot; 0 once none does.", "bot", "kind"
        )
        self.starts = registry.counter(
            "tradebot_watch_starts", "Times that a source of this kind began to watch the bot.", "bot", "kind"
        )
        registry.on(WatchStarted, self._started)
        registry.on(WatchStopped, self._stopped)

    def _started(self, record: Record, event: WatchStarted) -> None:
        key = (record.bot, label(event.source))
        watching = self.memory.setdefault(record.bot, {})
        before = watching.get(record.writer, key[1])
        keep(watching, record.writer, key[1], MAX_WRITERS)
        if before not in watching.values():  # it was killed, and could not say that it stopped
            self.watched.set((record.bot, before), 0)
        self.watched.set(key, 1)
        self.starts.inc(key)

    def _stopped(self, record: Record, event: WatchStopped) -> None:
        key = (record.bot, label(event.source))
        watching = self.memory.setdefault(record.bot, {})
        watching.pop(record.writer, None)
        self.watched.set(key, key[1] in watching.values())
