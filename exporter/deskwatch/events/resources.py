"""Resources: pools inside the bot."""

from __future__ import annotations

from typing import Literal

from deskwatch.events.base import Event, Integer, Number


class PoolUsageObserved(Event, frozen=True, kw_only=True):
    """How full a connection, task, memory or cache pool is."""

    pool: str
    """Its name."""
    resource: Literal["connection", "task", "memory", "cache"]
    """What it holds."""
    used: Number
    """Connections, tasks, bytes or entries in use."""
    capacity: Number = None
    """How many there may be."""
    hits: Integer | None = None
    """Since the start, for caches."""
    misses: Integer | None = None
    """Since the start, for caches."""
