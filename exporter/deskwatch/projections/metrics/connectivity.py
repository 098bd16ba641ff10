"""Connectivity: links to venues and nodes, and the requests that go over them."""

from __future__ import annotations

from typing import Any

from deskwatch.events import ConnectionChanged, RequestCompleted
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

_BY_KIND = ("bot", "venue", "kind")


class Connectivity:
    """`kind` is the connection's name, or the request's operation. The first time that it came up is no reconnect."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.up = registry.gauge("tradebot_connection_up", "1 while a connection is up.", *_BY_KIND)
        self.since = registry.gauge(
            "tradebot_connection_timestamp_seconds", "Unix time of the newest word on a connection.", *_BY_KIND
        )
        self.losses = registry.counter("tradebot_connection_losses", "Times a connection went down.", *_BY_KIND)
        self.reconnects = registry.counter(
            "tradebot_connection_reconnects", "Times a connection came up after having been down.", *_BY_KIND
        )
        self.requests = registry.counter("tradebot_requests", "Requests made.", *_BY_KIND)
        self.failures = registry.counter("tradebot_request_failures", "Requests that failed.", *_BY_KIND)
        self.reasons = registry.counter(
            "tradebot_request_failures_by_reason", "Requests that failed, by why.", "bot", "venue", "reason"
        )
        self.latency = registry.histogram(
            "tradebot_request_latency_seconds", "From sending a request to the end of its answer.", *_BY_KIND
        )
        registry.on(ConnectionChanged, self._connection)
        registry.on(RequestCompleted, self._request)

    def _connection(self, record: Record, event: ConnectionChanged) -> None:
        key = (record.bot, label(event.venue), label(event.connection))
        if event.gone:
            self.up.remove(key)
            self.since.remove(key)
            return
        was_down = self.up.get(key, 1.0) == 0.0
        self.up.set(key, 1.0 if event.up else 0.0)
        self.since.set_time(key)
        self.losses.inc(key, 0.0 if event.up else 1.0)
        self.reconnects.inc(key, 1.0 if event.up and was_down else 0.0)

    def _request(self, record: Record, event: RequestCompleted) -> None:
        key = (record.bot, label(event.venue), label(event.operation))
        self.requests.inc(key)
        self.failures.inc(key, 0.0 if event.ok else 1.0)
        self.latency.observe(key, event.latency_seconds, event.trace)
        if not event.ok:
            self.reasons.inc((*key[:2], label(event.reason)))
