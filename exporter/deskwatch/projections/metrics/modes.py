"""Modes: what the bot acts by, and what was last asked of it."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandStarted,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Record
from deskwatch.journal.names import MAIN
from deskwatch.projections.asked import Asked
from deskwatch.projections.metrics.family import Gauge
from deskwatch.projections.metrics.registry import Registry


class Modes:
    """A gauge for each mode: exactly one of the actual ones is 1, and at most one of the desired ones.

    They stay after a bot's death; `tradebot_mode_timestamp_seconds` says since when the mode is in force, and
    `tradebot_last_event_timestamp_seconds` when the bot was last heard. `memory` holds what is asked of each
    bot, and under `<bot> main` that its main writer was heard: of many writers it tells the mode.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.mode = registry.gauge("tradebot_mode", "1 for the mode that the bot acts by, 0 for others.", "bot", "mode")
        self.desired = registry.gauge(
            "tradebot_desired_mode", "1 for the mode that is asked for, 0 for others.", "bot", "mode"
        )
        self.changes = registry.counter("tradebot_mode_changes", "Changes of mode, by the new mode.", "bot", "mode")
        self.since = registry.gauge("tradebot_mode_timestamp_seconds", "Unix time of the last change of mode.", "bot")
        registry.on(BotStarted, self._started)
        registry.on(HeartbeatSent, self._heartbeat)
        registry.on(ModeChanged, self._changed)
        registry.on(CommandAccepted, self._asked)
        registry.on(CommandStarted, self._asked)
        registry.on(CommandFailed, self._asked)
        registry.on(CommandExpired, self._asked)

    def _started(self, record: Record, event: BotStarted) -> None:
        for mode in Mode:
            self.changes.inc((record.bot, mode), 0)
            self.desired.set((record.bot, mode), self.desired.get((record.bot, mode)))
        self._hear(record, event.mode)
        self._first(record.bot)

    def _heartbeat(self, record: Record, event: HeartbeatSent) -> None:
        if event.mode is not None:
            self._hear(record, event.mode)

    def _changed(self, record: Record, event: ModeChanged) -> None:
        if record.writer == MAIN:
            self.memory[f"{record.bot} main"] = {}
        elif f"{record.bot} main" in self.memory:
            return
        _one_of(self.mode, record.bot, event.mode)
        if event.cause is not None or record.bot in self.memory:
            asked = msgspec.convert(self.memory.get(record.bot, {}), Asked)
            if asked.apply(record):
                self.memory[record.bot] = msgspec.to_builtins(asked)
            self._show(record.bot, asked)
        if event.previous is None:
            self._first(record.bot)
        else:
            self.changes.inc((record.bot, event.mode), int(event.previous != event.mode))
            self.since.set_time((record.bot,))

    def _asked(self, record: Record, event: CommandAccepted | CommandStarted | CommandFailed | CommandExpired) -> None:
        if event.command != "set_mode":
            return
        asked = msgspec.convert(self.memory.get(record.bot, {}), Asked)
        if asked.apply(record):
            self.memory[record.bot] = msgspec.to_builtins(asked)
            self._show(record.bot, asked)

    def _show(self, bot: str, asked: Asked) -> None:
        actual = next((mode for mode in Mode if self.mode.get((bot, mode)) == 1), None)
        standing = asked.standing(actual)
        for mode in Mode:
            self.desired.set((bot, mode), 1.0 if mode == standing else 0.0)

    def _hear(self, record: Record, mode: Mode) -> None:
        """Take a mode that is told in passing: its ModeChanged may be gone by retention. Of many writers main tells."""
        if record.writer == MAIN:
            self.memory[f"{record.bot} main"] = {}
        if record.writer == MAIN or (record.bot, mode) not in self.mode.cells:
            _one_of(self.mode, record.bot, mode)
            if record.bot in self.memory:
                self._show(record.bot, msgspec.convert(self.memory[record.bot], Asked))

    def _first(self, bot: str) -> None:
        """Date a mode that is known since now and from nothing before."""
        if (bot,) not in self.since.cells:
            self.since.set_time((bot,))


def _one_of(family: Gauge, bot: str, mode: Mode) -> None:
    for each in Mode:
        family.set((bot, each), 1.0 if each is mode else 0.0)
