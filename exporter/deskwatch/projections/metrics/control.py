"""Control: commands, how they ended, and how long they took.

The sidecar and the bot tell of a command in different journals, so that their words can arrive in either order.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandRefused,
    CommandStarted,
    CommandSucceeded,
    CommandUnconfirmed,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.between import seconds_between
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.memory import identifier, keep
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 1000
"""Commands of one bot that are remembered; the oldest is forgotten, and open no longer, beyond."""
_BY_KIND = ("bot", "kind")
_Word = CommandAccepted | CommandStarted | CommandSucceeded | CommandFailed | CommandExpired


class Control:
    """`memory` holds each bot's commands that are not known from their acceptance to their end, by id.

    One is open in between. What a bot began before it was started again is not: its end will never be told.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.accepted = registry.counter("tradebot_commands_accepted", "Commands passed to the bot.", *_BY_KIND)
        self.started = registry.counter("tradebot_commands_started", "Commands the bot began.", *_BY_KIND)
        self.succeeded = registry.counter("tradebot_commands_succeeded", "Commands the bot did.", *_BY_KIND)
        self.failed = registry.counter("tradebot_commands_failed", "Commands the bot could not do.", *_BY_KIND)
        self.refused = registry.counter("tradebot_commands_refused", "Commands not passed on.", *_BY_KIND)
        self.expired = registry.counter("tradebot_commands_expired", "Commands not started in time.", *_BY_KIND)
        self.unconfirmed = registry.counter(
            "tradebot_commands_unconfirmed", "Commands whose effect the bot's journal did not show in time.", *_BY_KIND
        )
        self.open = registry.gauge("tradebot_commands_open", "Commands accepted that have not ended.", *_BY_KIND)
        self.pickup = registry.histogram(
            "tradebot_command_pickup_seconds", "From accepting a command to the bot's beginning it.", *_BY_KIND
        )
        self.latency = registry.histogram(
            "tradebot_command_latency_seconds", "From accepting a command to its success.", *_BY_KIND
        )
        registry.on(BotStarted, self._bot_started)
        registry.on(CommandAccepted, self._accepted)
        registry.on(CommandStarted, self._started)
        registry.on(CommandSucceeded, self._succeeded)
        registry.on(CommandFailed, self._failed)
        registry.on(CommandRefused, self._refused)
        registry.on(CommandExpired, self._expired)
        registry.on(CommandUnconfirmed, self._unconfirmed)

    def _accepted(self, record: Record, event: CommandAccepted) -> None:
        key = (record.bot, label(event.command))
        self.accepted.inc(key)
        for family in (self.started, self.succeeded, self.failed, self.expired, self.refused, self.unconfirmed):
            family.inc(key, 0)
        command = self._find(record.bot, event, key)
        command["accepted"] = record.ts
        if command["started"] is not None:
            self.pickup.observe(key, seconds_between(record.ts, command["started"]), event.trace)
        if command["succeeded"] is not None:
            self.latency.observe(key, seconds_between(record.ts, command["succeeded"]), event.trace)
        self._settle(record.bot, event.command_id)

    def _started(self, record: Record, event: CommandStarted) -> None:
        key = (record.bot, label(event.command))
        self.started.inc(key)
        command = self._find(record.bot, event, key)
        command["started"], command["writer"] = record.ts, record.writer
        if command["accepted"] is not None:
            self.pickup.observe(key, seconds_between(command["accepted"], record.ts), event.trace)

    def _succeeded(self, record: Record, event: CommandSucceeded) -> None:
        key = (record.bot, label(event.command))
        self.succeeded.inc(key)
        command = self._find(record.bot, event, key)
        command["ended"], command["succeeded"] = True, record.ts
        if command["accepted"] is not None:
            self.latency.observe(key, seconds_between(command["accepted"], record.ts), event.trace)
        self._settle(record.bot, event.command_id)

    def _failed(self, record: Record, event: CommandFailed) -> None:
        key = (record.bot, label(event.command))
        self.failed.inc(key)
        self._find(record.bot, event, key)["ended"] = True
        self._settle(record.bot, event.command_id)

    def _refused(self, record: Record, event: CommandRefused) -> None:
        self.refused.inc((record.bot, label(event.command)))

    def _unconfirmed(self, record: Record, event: CommandUnconfirmed) -> None:
        self.unconfirmed.inc((record.bot, label(event.command)))

    def _expired(self, record: Record, event: CommandExpired) -> None:
        key = (record.bot, label(event.command))
        self.expired.inc(key)
        command = self._find(record.bot, event, key)
        if command["started"] is None:  # else the bot began in the last instant: its word counts
            command["ended"] = True
            self._settle(record.bot, event.command_id)

    def _bot_started(self, record: Record, event: BotStarted) -> None:
        commands = self.memory.get(record.bot, {})
        for command_id, command in list(commands.items()):
            if command["writer"] == record.writer and not command["ended"]:
                command["ended"] = True
                self._settle(record.bot, command_id)

    def _find(self, bot: str, event: _Word, key: Labels) -> dict[str, Any]:
        commands = self.memory.setdefault(bot, {})
        command: dict[str, Any] | None = commands.get(identifier(event.command_id))
        if command is None:
            command = dict.fromkeys(("accepted", "started", "succeeded", "writer"))
            command |= {"kind": key[1], "ended": False}
            forgotten = keep(commands, identifier(event.command_id), command, MAX_OPEN)
            if forgotten is not None:
                self._show(bot, forgotten["kind"])
        return command

    def _settle(self, bot: str, command_id: str) -> None:
        """Forget a command that is known from end to end, and show how many of its kind are open."""
        command = self.memory[bot][identifier(command_id)]
        if command["ended"] and command["accepted"] is not None:
            del self.memory[bot][identifier(command_id)]
        self._show(bot, command["kind"])

    def _show(self, bot: str, kind: str) -> None:
        known = self.memory[bot].values()
        is_open = (one["kind"] == kind and one["accepted"] is not None and not one["ended"] for one in known)
        self.open.set((bot, kind), sum(is_open))
