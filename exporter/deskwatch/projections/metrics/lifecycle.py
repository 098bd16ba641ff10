"""Lifecycle: starts, stops, heartbeats and what the bot could not journal."""

from __future__ import annotations

from typing import Any

from deskwatch.events import BotStarted, BotStopped, EventsLost, HeartbeatSent, WatchStarted, WatchStopped
from deskwatch.events.lifecycle import LOSS_REASONS
from deskwatch.journal import Record
from deskwatch.journal.names import CONTROL, MAIN
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount
from deskwatch.projections.metrics.memory import MAX_WRITERS, increases, keep
from deskwatch.projections.metrics.registry import Registry


class Lifecycle:
    """Is it alive, and since when? `memory` holds each writer's version, and the totals that it told last.

    What a heartbeat counts since the start of its run grows across restarts here. Of a bot that a source watches,
    `sources` holds the writers that are sources, and `unwatched` that the one that spoke for the bot has ceased: then
    nobody knows whether it runs.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.info = registry.gauge(
            "tradebot_info", "1 for each version that the bot's writers last started in.", "bot", "version"
        )
        self.starts = registry.counter("tradebot_starts", "Starts of the bot.", "bot")
        self.stops = registry.counter("tradebot_stops", "Orderly stops of the bot; a crash is not one.", "bot")
        self.running = registry.gauge("tradebot_running", "1 from a start to an orderly stop. A crash leaves 1.", "bot")
        self.started = registry.gauge("tradebot_start_timestamp_seconds", "Unix time of the newest start.", "bot")
        self.last_event = registry.gauge(
            "tradebot_last_event_timestamp_seconds", "Unix time of the bot's newest event.", "bot"
        )
        self.heartbeats = registry.counter("tradebot_heartbeats", "Heartbeats of the bot's process.", "bot")
        self.last_heartbeat = registry.gauge(
            "tradebot_heartbeat_timestamp_seconds", "Unix time of the newest heartbeat.", "bot"
        )
        self.idle = registry.gauge(
            "tradebot_idle_seconds", "Time since the bot's own code touched its recorder, at the last heartbeat.", "bot"
        )
        self.loop_lag = registry.gauge(
            "tradebot_event_loop_lag_seconds",
            "How late the bot's event loop ran its last timer, at the last heartbeat that said so.",
            "bot",
        )
        self.lost = registry.counter(
            "tradebot_events_lost", "Events that the bot could not journal, or that were removed.", "bot", "reason"
        )
        self.sync_failures = registry.counter(
            "tradebot_journal_sync_failures", "Times that the disk did not confirm what the bot journaled.", "bot"
        )
        self.nulls = registry.counter("tradebot_null_values", "Figures that were NaN or infinite.", "bot")
        registry.on_every(self._seen)
        registry.on(BotStarted, self._bot_started)
        registry.on(BotStopped, self._bot_stopped)
        registry.on(HeartbeatSent, self._heartbeat)
        registry.on(EventsLost, self._events_lost)
        registry.on(WatchStarted, self._watch_started)
        registry.on(WatchStopped, self._watch_stopped)

    def _seen(self, record: Record) -> None:
        if record.writer != CONTROL and not self._is_onlooker(record):
            self.last_event.set_time((record.bot,))

    def _bot_started(self, record: Record, event: BotStarted) -> None:
        key = (record.bot,)
        self.starts.inc(key)
        for family in (self.stops, self.heartbeats, self.sync_failures, self.nulls):
            family.inc(key, 0)
        for reason in LOSS_REASONS:
            self.lost.inc((record.bot, reason), 0)
        self.started.set_time(key)
        self._tell_version(record, label(event.version))
        if self._speaks_for_the_bot(record):
            self._of(record.bot).pop("unwatched", None)
            self.running.set(key, 1)

    def _bot_stopped(self, record: Record, event: BotStopped) -> None:
        self.stops.inc((record.bot,))
        if self._speaks_for_the_bot(record):
            self.running.set((record.bot,), 0)

    def _heartbeat(self, record: Record, event: HeartbeatSent) -> None:
        key = (record.bot,)
        self.heartbeats.inc(key)
        self.last_heartbeat.set_time(key)
        set_amount(self.idle, key, event.idle_seconds)
        set_amount(self.loop_lag, key, event.loop_lag_seconds)
        totals = (event.null_values, event.sync_failures)
        known = self._of(record.bot)["totals"]
        nulls, failures = increases(known, record.writer, record.run, totals, MAX_WRITERS)
        self.nulls.inc(key, nulls)
        self.sync_failures.inc(key, failures)

    def _events_lost(self, record: Record, event: EventsLost) -> None:
        self.lost.inc((record.bot, label(event.reason)), event.events)

    def _watch_started(self, record: Record, event: WatchStarted) -> None:
        known = self._of(record.bot)
        keep(known.setdefault("sources", {}), record.writer, True, MAX_WRITERS)
        if known.get("unwatched") == record.writer:
            del known["unwatched"]
            self.running.set((record.bot,), 1)  # until it answers, or is silent for too long

    def _watch_stopped(self, record: Record, event: WatchStopped) -> None:
        key = (record.bot,)
        if self._speaks_for_the_bot(record) and self.running.get(key) == 1:
            self.running.remove(key)
            self._of(record.bot)["unwatched"] = record.writer

    def _is_onlooker(self, record: Record) -> bool:
        """Whether a source wrote this beside the bot's own journal: it lives on when the bot is dead."""
        if record.writer == MAIN or record.bot not in self.memory:
            return False
        return record.writer in self.memory[record.bot].get("sources", ()) and not self._speaks_for_the_bot(record)

    def _speaks_for_the_bot(self, record: Record) -> bool:
        """Whether the bot runs while this writer does: of several, main tells, once it was started."""
        return record.writer == MAIN or MAIN not in self._of(record.bot)["versions"]

    def _tell_version(self, record: Record, version: str) -> None:
        """Show the versions of the bot's writers, and no older one."""
        versions = self._of(record.bot)["versions"]
        before = versions.get(record.writer)
        forgotten = keep(versions, record.writer, version, MAX_WRITERS)
        for gone in (before, forgotten):
            if gone is not None and gone not in versions.values():
                self.info.remove((record.bot, gone))
        self.info.set((record.bot, version), 1)

    def _of(self, bot: str) -> dict[str, Any]:
        known: dict[str, Any] = self.memory.setdefault(bot, {"totals": {}, "versions": {}})
        return known
