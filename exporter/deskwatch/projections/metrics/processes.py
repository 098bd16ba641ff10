"""Processes: what the supervisor did with a bot's, and how it ended."""

from __future__ import annotations

from typing import Any

from deskwatch.events import ProcessActed
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

ACTIONS = ("start", "stop", "kill", "hook", "adopt", "exit", "give_up")
EXITS = ("clean", "error", "signal", "unknown")
"""Kinds of exit: code 0, a code above, a signal, none known."""


class Processes:
    """Both start at 0 with the first action."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.actions = registry.counter(
            "tradebot_process_actions", "What was done with a supervised process, and its exits.", "bot", "kind"
        )
        self.exits = registry.counter(
            "tradebot_process_exits", "Exits of a supervised process, by how it ended.", "bot", "reason"
        )
        registry.on(ProcessActed, self._acted)

    def _acted(self, record: Record, event: ProcessActed) -> None:
        for action in ACTIONS:
            self.actions.inc((record.bot, action), 0)
        for reason in EXITS:
            self.exits.inc((record.bot, reason), 0)
        self.actions.inc((record.bot, label(event.action)))
        if event.action == "exit":
            self.exits.inc((record.bot, _how(event.exit_code)))


def _how(code: int | None) -> str:
    if code is None:
        return "unknown"
    return "clean" if code == 0 else "error" if code > 0 else "signal"
