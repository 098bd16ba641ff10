"""What is in the journals and was not read yet, by consumer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deskwatch.projections.metrics import Family, Gauge


class Backlog:
    """Asks each consumer, which looks at the size of every segment behind its position.

    Args:
        consumers: Name (`feed`, or a sink's) → its backlog in bytes; called from a thread.
    """

    def __init__(self, consumers: Mapping[str, Callable[[], int]]) -> None:
        self._consumers = consumers

    def read(self) -> list[Family[Any]]:
        """The one family."""
        backlog = Gauge("deskwatch_backlog_bytes", "Journal bytes that a consumer has not read yet.", ("kind",))
        for name, bytes_of in self._consumers.items():
            backlog.set((name,), bytes_of())
        return [backlog]
