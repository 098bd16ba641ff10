"""Lifecycle: starts, stops, heartbeats and modes."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    BotStarted,
    BotStopped,
    CommandAccepted,
    EventsLost,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from deskwatch.events.lifecycle import LOSS_REASONS
from deskwatch.journal import Record
from deskwatch.journal.names import CONTROL, MAIN
from deskwatch.projections.metrics.family import Gauge, label
from deskwatch.projections.metrics.registry import Registry


class Lifecycle:
    """Is it alive, since when, and what may it do?"""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.starts = registry.counter("tradebot_starts", "Starts of the bot.", "bot")
        self.stops = registry.counter("tradebot_stops", "Orderly stops of the bot; a crash is not one.", "bot")
        self.running = registry.gauge("tradebot_running", "1 from a start to an orderly stop. A crash leaves 1.", "bot")
        self.started = registry.gauge("tradebot_start_timestamp_seconds", "Unix time of the newest start.", "bot")
        self.last_event = registry.gauge(
            "tradebot_last_event_timestamp_seconds", "Unix time of the bot's newest event.", "bot"
        )
        self.heartbeats = registry.counter("tradebot_heartbeats", "Heartbeats of the bot's process.", "bot")
        self.idle = registry.gauge(
            "tradebot_idle_seconds", "Time since the bot's own code touched its recorder, at the last heartbeat.", "bot"
        )
        self.lost = registry.counter(
            "tradebot_events_lost", "Events that the bot could not journal, or that were removed.", "bot", "reason"
        )
        self.sync_failures = registry.counter(
            "tradebot_journal_sync_failures", "Times that the disk did not confirm what the bot journaled.", "bot"
        )
        self.nulls = registry.counter("tradebot_null_values", "Figures that were NaN or infinite.", "bot")
        self.mode = registry.gauge("tradebot_mode", "1 for the mode that the bot acts by, 0 for others.", "bot", "mode")
        self.desired = registry.gauge(
            "tradebot_desired_mode", "1 for the mode that was last asked for, 0 for others.", "bot", "mode"
        )
        self.changes = registry.counter("tradebot_mode_changes", "Changes of mode, by the new mode.", "bot", "mode")
        self.since = registry.gauge("tradebot_mode_timestamp_seconds", "Unix time of the last change of mode.", "bot")
        registry.on_every(self._seen)
        registry.on(BotStarted, self._bot_started)
        registry.on(BotStopped, self._bot_stopped)
        registry.on(HeartbeatSent, self._heartbeat)
        registry.on(EventsLost, self._events_lost)
        registry.on(ModeChanged, self._mode_changed)
        registry.on(CommandAccepted, self._accepted)

    def _seen(self, record: Record) -> None:
        if record.writer != CONTROL:
            self.last_event.set_time((record.bot,))

    def _bot_started(self, record: Record, event: BotStarted) -> None:
        self.starts.inc((record.bot,))
        self.stops.inc((record.bot,), 0)
        self.sync_failures.inc((record.bot,), 0)
        for reason in LOSS_REASONS:
            self.lost.inc((record.bot, reason), 0)
        self.running.set((record.bot,), 1)
        self.started.set_time((record.bot,))

    def _bot_stopped(self, record: Record, event: BotStopped) -> None:
        self.stops.inc((record.bot,))
        self.running.set((record.bot,), 0)

    def _heartbeat(self, record: Record, event: HeartbeatSent) -> None:
        key = (record.bot,)
        self.heartbeats.inc(key)
        self.idle.set(key, event.idle_seconds)
        writer = f"{record.bot}/{record.writer}"
        run, nulls, failures = self.memory.get(writer, (None, 0, 0))
        if run != record.run:
            nulls = failures = 0
        self.nulls.inc(key, event.null_values - nulls)
        self.sync_failures.inc(key, event.sync_failures - failures)
        self.memory[writer] = (record.run, event.null_values, event.sync_failures)
        if event.mode is not None and (record.writer == MAIN or (record.bot, event.mode) not in self.mode.cells):
            _one_of(self.mode, record.bot, event.mode)  # its ModeChanged may be gone by retention

    def _events_lost(self, record: Record, event: EventsLost) -> None:
        self.lost.inc((record.bot, label(event.reason)), event.events)

    def _mode_changed(self, record: Record, event: ModeChanged) -> None:
        _one_of(self.mode, record.bot, event.mode)
        if event.previous is not None:
            self.changes.inc((record.bot, event.mode))
            self.since.set_time((record.bot,))

    def _accepted(self, record: Record, event: CommandAccepted) -> None:
        for mode in Mode:
            if event.command == "set_mode" and event.params.get("mode") == mode:
                _one_of(self.desired, record.bot, mode)


def _one_of(family: Gauge, bot: str, mode: Mode) -> None:
    for each in Mode:
        family.set((bot, each), 1.0 if each is mode else 0.0)
