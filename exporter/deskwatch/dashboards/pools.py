"""Pools inside the bots: connections, tasks, memory, and entries of caches."""

from __future__ import annotations

from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import bars, course
from deskwatch.dashboards.promql import part, rate, series

POOL = f"{series('tradebot_resource_used')} / ({series('tradebot_resource_capacity')} > 0)"
_FULL_STEPS = ((None, "green"), (0.7, "orange"), (0.9, "red"))


def line() -> Line:
    """The section's panels."""
    hits = rate("tradebot_resource_hits_total", "bot", "component")
    misses = rate("tradebot_resource_misses_total", "bot", "component")
    return [
        bars(
            41,
            "Pools used",
            "How full each pool of connections, tasks, memory or cache entries is. A cache may be full; any other pool "
            "that is makes its users wait: make it larger, or find who does not give back.",
            [(f"max by (bot, component, kind) ({POOL})", "{{bot}} {{component}} {{kind}}")],
            unit="percentunit",
            steps=_FULL_STEPS,
            most=1,
            span=8,
        ),
        course(
            42,
            "Pools used, over time",
            "The same over time, as a part of what there may be.",
            [(f"max by (bot, component, kind) ({POOL})", "{{bot}} {{component}} {{kind}}")],
            unit="percentunit",
            least=0,
        ),
        course(
            43,
            "Cache hits",
            "Lookups that a cache answered, of all. A fall means that it is too small, or that what is asked changed; "
            "each miss is a request more to a venue or a node.",
            [(part(hits, f"{hits} + {misses}"), "{{bot}} {{component}}")],
            unit="percentunit",
            least=0,
            most=1,
        ),
    ]
