"""Resources: connection, task, memory and cache pools inside the bot."""

from __future__ import annotations

from typing import Any

from deskwatch.events import PoolUsageObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from deskwatch.projections.metrics.memory import increases
from deskwatch.projections.metrics.registry import Registry

MAX_POOLS = 1000
"""Pools of one bot whose hits and misses are remembered; the oldest is forgotten, and counts from 0 again, beyond."""
_BY_POOL = ("bot", "component", "kind")


class Resources:
    """`component` is the pool's name, `kind` what it holds. `memory` has the totals that each told last.

    Hits and misses are told as totals since the start; a total that fell began anew.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.used = registry.gauge(
            "tradebot_resource_used",
            "Connections, tasks, bytes or entries in use.",
            *_BY_POOL,
            lifetime=MARKET_SECONDS,
        )
        self.capacity = registry.gauge(
            "tradebot_resource_capacity",
            "Connections, tasks, bytes or entries that there may be.",
            *_BY_POOL,
            lifetime=MARKET_SECONDS,
        )
        self.seen = registry.gauge(
            "tradebot_resource_timestamp_seconds",
            "Unix time of the newest word on a pool inside the bot.",
            *_BY_POOL,
            lifetime=AGE_SECONDS,
        )
        self.hits = registry.counter("tradebot_resource_hits", "Lookups that a cache answered.", *_BY_POOL)
        self.misses = registry.counter("tradebot_resource_misses", "Lookups that a cache could not answer.", *_BY_POOL)
        registry.on(PoolUsageObserved, self._pool)

    def _pool(self, record: Record, event: PoolUsageObserved) -> None:
        key = (record.bot, label(event.pool), event.resource)
        set_amount(self.used, key, event.used)
        set_amount(self.capacity, key, event.capacity)
        self.seen.set_time(key)
        known = self.memory.setdefault(record.bot, {})
        for family, name, total in ((self.hits, "hits", event.hits), (self.misses, "misses", event.misses)):
            if total is None:
                continue
            if total < 0:
                family.refuse(key, "negative")
                continue
            pool = f"{name} {record.writer} {event.resource} {key[1]}"
            family.inc(key, increases(known, pool, record.run, (total,), 2 * MAX_POOLS)[0])
