"""Health: errors, log records, connections, requests and risk alerts."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    ConnectionChanged,
    ErrorOccurred,
    LogRecorded,
    RequestCompleted,
    RiskAlertCleared,
    RiskAlertRaised,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Health:
    """What goes wrong."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.errors = registry.counter("tradebot_errors", "Errors, by exception or short word.", "bot", "kind")
        self.logs = registry.counter("tradebot_log_records", "Log records, by level.", "bot", "kind")
        self.up = registry.gauge("tradebot_connection_up", "1 while a connection is up.", "bot", "venue", "kind")
        self.changes = registry.counter("tradebot_connection_losses", "Times it went down.", "bot", "venue", "kind")
        self.requests = registry.counter("tradebot_requests", "Requests made.", "bot", "venue", "kind")
        self.failures = registry.counter("tradebot_request_failures", "Of them failed.", "bot", "venue", "kind")
        self.latency = registry.histogram("tradebot_request_latency_seconds", "Of requests.", "bot", "venue", "kind")
        self.alert = registry.gauge("tradebot_risk_alert", "1 while the bot's own risk alert is raised.", "bot", "kind")
        registry.on(ErrorOccurred, self._error)
        registry.on(LogRecorded, self._log)
        registry.on(ConnectionChanged, self._connection)
        registry.on(RequestCompleted, self._request)
        registry.on(RiskAlertRaised, self._raised)
        registry.on(RiskAlertCleared, self._cleared)

    def _error(self, record: Record, event: ErrorOccurred) -> None:
        self.errors.inc((record.bot, label(event.kind)))

    def _log(self, record: Record, event: LogRecorded) -> None:
        self.logs.inc((record.bot, label(event.levelname.lower())))

    def _connection(self, record: Record, event: ConnectionChanged) -> None:
        key = (record.bot, label(event.venue), label(event.connection))
        self.up.set(key, 1.0 if event.up else 0.0)
        self.changes.inc(key, 0.0 if event.up else 1.0)

    def _request(self, record: Record, event: RequestCompleted) -> None:
        key = (record.bot, label(event.venue), label(event.operation))
        self.requests.inc(key)
        self.failures.inc(key, 0.0 if event.ok else 1.0)
        self.latency.observe(key, event.latency_seconds, event.trace)

    def _raised(self, record: Record, event: RiskAlertRaised) -> None:
        self.alert.set((record.bot, label(event.alert)), 1.0)

    def _cleared(self, record: Record, event: RiskAlertCleared) -> None:
        self.alert.set((record.bot, label(event.alert)), 0.0)
