"""How the sidecar serves: requests, scrapes, and how late its event loop is."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """Requests by now; scrapes before this one."""
    requests = Counter("deskwatch_http_requests", "Requests answered; those of streams when they begin.", ())
    requests.inc((), parts.requests.answered)
    failures = Counter("deskwatch_http_failures", "Requests that were answered with an error.", ("reason",))
    for reason, count in parts.requests.failed.items():
        failures.inc((reason,), count)
    connections = Gauge("deskwatch_http_connections", "Connections that are open, WebSockets among them.", ())
    connections.set((), len(parts.requests.visitors))
    turned_away = Counter(
        "deskwatch_http_connections_refused",
        "Connections ended because there was no room (silent ones first, then full), or for being slow or malformed.",
        ("reason",),
    )
    for reason, count in parts.requests.visitors.turned_away.items():
        turned_away.inc((reason,), count)
    waiting = Gauge("deskwatch_sign_ins_slowed", "Requests with a wrong token whose answer is held up.", ())
    waiting.set((), parts.gate.refusals.waiting)
    return [requests, failures, connections, turned_away, waiting, parts.scraping.duration, parts.loop_lag.lag]
