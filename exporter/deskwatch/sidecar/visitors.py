"""Who is connected: a limit in all and for each address, which binds strangers only.

Where there is no more room, the connection that waited longest without saying anything gives way; so a flood of silent
ones never keeps anyone out. Where all of them say something, a few more are let in to show a token (the reserve): who
bears a right one is counted among the strangers no more, and so an operator gets in, however many hold a stream open.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Protocol

MAX_STRANGERS = 512
MAX_STRANGERS_OF_ADDRESS = 384
"""Of one address (of IPv6: of one /64). Behind a proxy all are of one."""
RESERVE = 64
VISITOR = "deskwatch.visitor"
"""Where a request's ASGI state holds its connection."""
REASONS = ("silent", "full", "slow", "malformed")


class Visitor(Protocol):
    """One connection."""

    address: str

    def turn_away(self) -> None:
        """End it at once."""

    def trust(self) -> None:
        """It showed a right token."""

    @property
    def is_crowded(self) -> bool:
        """Whether it was let in only to show a token."""


class Visitors:
    """Knows all connections.

    Attributes:
        turned_away: Connections that were ended, by why: `silent` ones gave way, `full` found no room, `slow` did not
            send their request in time, `malformed` sent none.
    """

    def __init__(
        self, limit: int = MAX_STRANGERS, of_address: int = MAX_STRANGERS_OF_ADDRESS, reserve: int = RESERVE
    ) -> None:
        self._limit, self._of_address, self._reserve = limit, of_address, reserve
        self._strangers: dict[Visitor, None] = {}
        self._by_address: Counter[str] = Counter()
        self._silent: OrderedDict[Visitor, None] = OrderedDict()
        self._crowded: set[Visitor] = set()
        self._trusted: set[Visitor] = set()
        self.turned_away = dict.fromkeys(REASONS, 0)

    def __len__(self) -> int:
        return len(self._strangers) + len(self._crowded) + len(self._trusted)

    def enter(self, visitor: Visitor) -> bool:
        """Let a connection in, or not."""
        is_full_for_address = self._by_address[visitor.address] >= self._of_address
        if is_full_for_address or len(self._strangers) >= self._limit:
            if self._make_room(visitor.address if is_full_for_address else None):
                self._add(visitor)
            elif len(self._crowded) < self._reserve or self._make_reserve():
                self._crowded.add(visitor)
            else:
                self.turned_away["full"] += 1
                return False
        else:
            self._add(visitor)
        self._silent[visitor] = None
        return True

    def leave(self, visitor: Visitor) -> None:
        """It is gone. Saying so twice is fine."""
        self._silent.pop(visitor, None)
        self._crowded.discard(visitor)
        self._trusted.discard(visitor)
        self._remove(visitor)

    def speaks(self, visitor: Visitor) -> None:
        """It sent a request."""
        self._silent.pop(visitor, None)

    def falls_silent(self, visitor: Visitor) -> None:
        """It was answered, and has not asked anew."""
        if visitor in self._strangers or visitor in self._crowded:
            self._silent[visitor] = None

    def trust(self, visitor: Visitor) -> None:
        """It showed a right token."""
        if visitor in self._strangers or visitor in self._crowded:
            self.leave(visitor)
            self._trusted.add(visitor)

    def is_crowded(self, visitor: Visitor) -> bool:
        """Whether it was let in only to show a token."""
        return visitor in self._crowded

    def note(self, reason: str) -> None:
        """Count one that ends for what it did."""
        self.turned_away[reason] += 1

    def _add(self, visitor: Visitor) -> None:
        self._strangers[visitor] = None
        self._by_address[visitor.address] += 1

    def _remove(self, visitor: Visitor) -> None:
        if visitor in self._strangers:
            del self._strangers[visitor]
            self._by_address[visitor.address] -= 1
            if not self._by_address[visitor.address]:
                del self._by_address[visitor.address]

    def _make_room(self, address: str | None) -> bool:
        """End the stranger that has been silent longest, of an address or of all; False where none is."""
        for visitor in self._silent:
            if visitor in self._strangers and address in (None, visitor.address):
                self._end(visitor)
                return True
        return False

    def _make_reserve(self) -> bool:
        for visitor in self._silent:
            if visitor in self._crowded:
                self._end(visitor)
                return True
        return False

    def _end(self, visitor: Visitor) -> None:
        self.leave(visitor)
        self.turned_away["silent"] += 1
        visitor.turn_away()
