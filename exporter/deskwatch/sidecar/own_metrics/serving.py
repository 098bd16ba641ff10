"""How the sidecar serves: requests, scrapes, and how late its event loop is."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """Requests by now; scrapes before this one."""
    requests = Counter("deskwatch_http_requests", "Requests answered; those of streams when they begin.", ())
    requests.inc((), parts.requests.answered)
    failures = Counter("deskwatch_http_failures", "Requests that were answered with an error.", ("reason",))
    for reason, count in parts.requests.failed.items():
        failures.inc((reason,), count)
    return [requests, failures, parts.scraping.duration, parts.loop_lag.lag]
