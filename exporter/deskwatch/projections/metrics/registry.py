"""What a group of families is made with: it declares families, asks for events, and keeps what it must remember."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from deskwatch.events import Event
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import SECONDS, Counter, Family, Gauge, Histogram
from deskwatch.projections.metrics.guard import Guard

E = TypeVar("E", bound=Event)
Handler = Callable[[Record, Any], None]  # Any: the event's class, as `on` was told


class Group(Protocol):
    """Families of one subject. `memory` is JSON-able and goes into the checkpoint with the series."""

    memory: dict[str, Any]


class Registry:
    """All families, and who wants which event."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.families: list[Family[Any]] = []
        self.handlers: dict[type[Event], list[Handler]] = {}
        self.always: list[Callable[[Record], None]] = []

    def counter(self, name: str, documentation: str, *labels: str) -> Counter:
        """A new counter; `name` without `_total`."""
        family = Counter(name, documentation, labels, self.guard)
        self.families.append(family)
        return family

    def gauge(self, name: str, documentation: str, *labels: str, lifetime: float | None = None) -> Gauge:
        """A new gauge. A series is shown for `lifetime` seconds after its newest value; None for ever."""
        family = Gauge(name, documentation, labels, self.guard, lifetime)
        self.families.append(family)
        return family

    def histogram(self, name: str, documentation: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
        """A new histogram; of seconds unless other buckets are given."""
        family = Histogram(name, documentation, labels, buckets, self.guard)
        self.families.append(family)
        return family

    def on(self, event: type[E], handler: Callable[[Record, E], None]) -> None:
        """Call `handler` with each event of this class."""
        self.handlers.setdefault(event, []).append(handler)

    def on_every(self, handler: Callable[[Record], None]) -> None:
        """Call `handler` with each record, of whatever type."""
        self.always.append(handler)
