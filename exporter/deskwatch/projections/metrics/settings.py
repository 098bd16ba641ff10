"""Settings: what the bot watches, when it read its configuration, which commands of its own it knows."""

from __future__ import annotations

from typing import Any

from deskwatch.events import BotStarted, CommandOffered, ConfigReloaded, WatchlistChanged
from deskwatch.journal import Record
from deskwatch.projections.metrics.memory import identifier
from deskwatch.projections.metrics.registry import Registry

MAX_OFFERED = 50
"""Types of commands of one bot that are counted."""


class Settings:
    """`memory` holds the types of commands that each bot's newest run offered."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.symbols = registry.gauge("tradebot_watchlist_symbols", "Instruments the bot watches.", "bot")
        self.reloads = registry.counter("tradebot_config_reloads", "Times the bot read its configuration anew.", "bot")
        self.offered = registry.gauge("tradebot_commands_offered", "Commands of its own that the bot knows.", "bot")
        registry.on(BotStarted, self._started)
        registry.on(WatchlistChanged, self._watches)
        registry.on(ConfigReloaded, self._reloaded)
        registry.on(CommandOffered, self._offers)

    def _started(self, record: Record, event: BotStarted) -> None:
        self.reloads.inc((record.bot,), 0)
        if self.memory.pop(record.bot, None) is not None:
            self.offered.set((record.bot,), 0)

    def _watches(self, record: Record, event: WatchlistChanged) -> None:
        self.symbols.set((record.bot,), len(set(event.symbols)))

    def _reloaded(self, record: Record, event: ConfigReloaded) -> None:
        self.reloads.inc((record.bot,))

    def _offers(self, record: Record, event: CommandOffered) -> None:
        known = self.memory.setdefault(record.bot, {})
        if len(known) < MAX_OFFERED:
            known[identifier(event.command)] = 1
        self.offered.set((record.bot,), len(known))
