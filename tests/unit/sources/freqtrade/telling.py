"""A `Watched` without a disk: what is told is a list, and is remembered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from deskwatch.encoding import check, encode
from deskwatch.events import Event
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from deskwatch.sources.health import Health
from deskwatch.sources.memory import Told

AnyEvent = TypeVar("AnyEvent", bound=Event)


class Telling:
    """Attributes are those of `Watched`; `events` is what was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.health = Health("trend", "freqtrade")
        self.memory = FreqtradeMemory()
        self.told = Told()

    def emit(self, event: Event, *, durable: bool = False) -> bool:
        """Tell it. What a journal would not take fails the test."""
        check(event, encode(event))
        self.events.append(event)
        self.memory.fold(event)
        self.told.fold(event)
        return True

    def connected(self, connection: str, venue: str, *, up: bool, reason: str | None = None) -> None:
        """As `Watched.connected`."""
        self.told.connections[f"{venue} {connection}"] = up

    def only_connects(self, connection: str, venues: Collection[str]) -> None:
        """As `Watched.only_connects`."""
        for known in [one for one in self.told.connections if one.endswith(f" {connection}")]:
            if known.partition(" ")[0] not in venues:
                del self.told.connections[known]

    def begin_again(self) -> None:
        """The watch begins again: it knows what is in the journal, and nothing else."""
        self.memory, self.told = FreqtradeMemory(), Told()
        for event in self.events:
            self.memory.fold(event)
            self.told.fold(event)

    def of(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        """What was told of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def __getattr__(self, name: str) -> Any:  # Any: nothing else of `Watched` is here
        raise AttributeError(f"{name} is not part of this stand-in for Watched")
