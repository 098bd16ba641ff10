"""What a client wants of the stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from deskwatch.projections.activity import Entry
from deskwatch.sidecar.streaming.cursor import Key

T = TypeVar("T")


class Topic(msgspec.Struct, frozen=True):
    """Bots whose state and events are wanted, and kinds of events; None means any."""

    bots: frozenset[str] | None = None
    kinds: frozenset[str] | None = None

    def has(self, bot: str) -> bool:
        """Whether a bot is wanted."""
        return self.bots is None or bot in self.bots

    def accepts(self, entry: Entry) -> bool:
        """Whether an event is wanted."""
        return self.has(entry.bot) and (self.kinds is None or entry.kind in self.kinds)

    def of(self, journals: Mapping[Key, T]) -> dict[Key, T]:
        """What concerns the journals of the bots that are wanted."""
        return {key: value for key, value in journals.items() if self.has(key[0])}


EVERYTHING = Topic()
