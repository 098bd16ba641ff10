"""What each sink delivered, and what it could not. Its backlog is a sample."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts
from deskwatch.sinks.loki import LokiSink


def families(parts: Parts) -> list[Family[Any]]:
    """All sinks' figures, told apart by `kind`."""
    delivered = Counter("deskwatch_sink_delivered", "Lines (spans, for traces) that a sink has delivered.", ("kind",))
    quarantined = Counter("deskwatch_sink_quarantined", "Lines (or spans) that a sink could not deliver.", ("kind",))
    late = Counter("deskwatch_sink_late", "Lines delivered to the late lane.", ("kind",))
    rereads = Counter(
        "deskwatch_sink_rereads",
        "Journals read again in part, because they were not what a sink had read.",
        ("kind",),
    )
    lag = Gauge("deskwatch_sink_lag_seconds", "Age of the oldest line of the delivery under way.", ("kind",))
    failures = Counter("deskwatch_sink_failures", "Deliveries tried again.", ("kind", "reason"))
    for sink in parts.sinks:
        delivered.inc((sink.name,), sink.delivered)
        quarantined.inc((sink.name,), sink.quarantined)
        if isinstance(sink, LokiSink):
            late.inc((sink.name,), sink.late)
        rereads.inc((sink.name,), sink.rereads)
        lag.set((sink.name,), sink.lag_seconds())
        for reason, count in list(sink.failures.items()):
            failures.inc((sink.name, reason), count)
    if parts.push is not None:
        for reason, count in list(parts.push.failures.items()):
            failures.inc((parts.push.name, reason), count)
    return [delivered, quarantined, late, rereads, lag, failures]
