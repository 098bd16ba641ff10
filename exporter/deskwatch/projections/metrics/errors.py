"""Errors and log records."""

from __future__ import annotations

from typing import Any

from deskwatch.events import BotStarted, ErrorOccurred, LogRecorded
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

LEVELS = ("debug", "info", "warning")
"""Levels of ordinary log records, which start at 0."""


class Errors:
    """`component` is where, `kind` what: the exception's class or a short word, or a log record's level."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.errors = registry.counter("tradebot_errors", "Errors, by where and what.", "bot", "component", "kind")
        self.logs = registry.counter("tradebot_log_records", "Log records below errors, by level.", "bot", "kind")
        registry.on(BotStarted, self._started)
        registry.on(ErrorOccurred, self._error)
        registry.on(LogRecorded, self._log)

    def _started(self, record: Record, event: BotStarted) -> None:
        for level in LEVELS:
            self.logs.inc((record.bot, level), 0)

    def _error(self, record: Record, event: ErrorOccurred) -> None:
        self.errors.inc((record.bot, label(event.component), label(event.kind)))

    def _log(self, record: Record, event: LogRecorded) -> None:
        self.logs.inc((record.bot, label(event.levelname).lower()))
