"""Control: commands by how they ended, and refused sign-ins."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandRefused,
    CommandSucceeded,
    SignInRefused,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.between import seconds_between
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

MAX_OPEN = 1000


class Control:
    """`memory` holds when each open command was accepted."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.accepted = registry.counter("tradebot_commands_accepted", "Commands passed to the bot.", "bot", "kind")
        self.succeeded = registry.counter("tradebot_commands_succeeded", "Commands the bot did.", "bot", "kind")
        self.failed = registry.counter("tradebot_commands_failed", "Commands the bot could not do.", "bot", "kind")
        self.refused = registry.counter("tradebot_commands_refused", "Commands not passed on.", "bot", "kind")
        self.expired = registry.counter("tradebot_commands_expired", "Commands not started in time.", "bot", "kind")
        self.latency = registry.histogram("tradebot_command_latency_seconds", "From accepted to done.", "bot", "kind")
        self.sign_ins = registry.counter("deskwatch_sign_ins_refused", "Requests with a bad token.", "reason")
        registry.on(CommandAccepted, self._accepted)
        registry.on(CommandSucceeded, self._succeeded)
        registry.on(CommandFailed, self._failed)
        registry.on(CommandRefused, self._refused)
        registry.on(CommandExpired, self._expired)
        registry.on(SignInRefused, self._sign_in)

    def _accepted(self, record: Record, event: CommandAccepted) -> None:
        key = (record.bot, label(event.command))
        self.accepted.inc(key)
        for family in (self.succeeded, self.failed, self.expired):
            family.inc(key, 0)
        self.memory[event.command_id] = record.ts
        if len(self.memory) > MAX_OPEN:
            del self.memory[next(iter(self.memory))]

    def _succeeded(self, record: Record, event: CommandSucceeded) -> None:
        key = (record.bot, label(event.command))
        self.succeeded.inc(key)
        accepted = self.memory.pop(event.command_id, None)
        if accepted is not None:
            self.latency.observe(key, seconds_between(accepted, record.ts), event.trace)

    def _failed(self, record: Record, event: CommandFailed) -> None:
        self.failed.inc((record.bot, label(event.command)))
        self.memory.pop(event.command_id, None)

    def _refused(self, record: Record, event: CommandRefused) -> None:
        self.refused.inc((record.bot, label(event.command)))

    def _expired(self, record: Record, event: CommandExpired) -> None:
        self.expired.inc((record.bot, label(event.command)))
        self.memory.pop(event.command_id, None)

    def _sign_in(self, record: Record, event: SignInRefused) -> None:
        self.sign_ins.inc((label(event.problem),))
