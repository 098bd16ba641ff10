"""How the sidecar answers: scrapes, requests, and readers of its stream."""

from __future__ import annotations

from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import increase, or_none, quantile, rate

_REFUSED = increase("deskwatch_http_connections_refused_total", "reason", where="")
_REQUESTS = rate("deskwatch_http_requests_total", "instance", where="")


def lines() -> list[Line]:
    """The section's panels."""
    return [
        [
            course(
                61,
                "Time to write the metrics",
                "Of each scrape: the median, and what 95 of 100 stay below. It grows with the number of series.",
                [
                    (quantile(0.5, "deskwatch_scrape_duration_seconds", "instance", where=""), "{{instance}} median"),
                    (quantile(0.95, "deskwatch_scrape_duration_seconds", "instance", where=""), "{{instance}} p95"),
                ],
                unit="s",
                least=0,
            ),
            course(
                62,
                "Requests per second",
                "Answered, those of streams when they begin, and answered with an error by kind. 5xx are the sidecar's "
                "own fault: read its log.",
                [
                    (_REQUESTS, "{{instance}} answered"),
                    (
                        or_none(rate("deskwatch_http_failures_total", "reason", where=""), _REQUESTS, "reason"),
                        "with an error: {{reason}}",
                    ),
                ],
                unit="reqps",
                least=0,
                colours={"5xx": "red", "4xx": "orange"},
            ),
            course(
                63,
                "Connections",
                "Open ones, WebSockets among them, and those ended in each interval because there was no room, or for "
                "being slow or malformed. Many of the latter are a flood: close the port to the outside.",
                [
                    ("max by (instance) (deskwatch_http_connections)", "{{instance}} open"),
                    (
                        or_none(_REFUSED, "deskwatch_http_connections", "reason"),
                        "ended: {{reason}}",
                    ),
                ],
                unit="none",
                least=0,
            ),
        ],
        [
            course(
                64,
                "Readers of the stream",
                "Pages, terminals and programs that are told live.",
                [("max by (instance) (deskwatch_stream_clients)", "{{instance}}")],
                unit="none",
                least=0,
            ),
            course(
                65,
                "Messages to readers per second",
                "Sent to all of them together.",
                [(rate("deskwatch_stream_messages_total", "instance", where=""), "{{instance}}")],
                unit="short",
                least=0,
            ),
            counts(
                66,
                "Readers dropped and back",
                "In each interval: dropped by reason, come back with a cursor, sent a snapshot because what they "
                "missed was gone, and told from the journal until they kept up again. Drops for being slow are the "
                "reader's machine or line.",
                [
                    (
                        or_none(
                            increase("deskwatch_stream_drops_total", "reason", where=""),
                            "deskwatch_stream_clients",
                            "reason",
                        ),
                        "dropped: {{reason}}",
                    ),
                    (increase("deskwatch_stream_resumes_total", "instance", where=""), "{{instance}} came back"),
                    (increase("deskwatch_stream_resets_total", "instance", where=""), "{{instance}} sent a snapshot"),
                    (
                        increase("deskwatch_stream_lapses_total", "instance", where=""),
                        "{{instance}} told from the journal",
                    ),
                ],
            ),
        ],
    ]
