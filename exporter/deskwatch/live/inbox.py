"""What waits for the reader: changes in their order, bounded; changes of state alone are joined."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from deskwatch.live.change import Change, moved

MAX_WAITING = 256
"""Changes that wait at most; the connection is not read further until the reader took some."""


class Inbox:
    """A queue of one writer and one reader on one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Change] = deque()
        self._error: Exception | None = None
        self._ended = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until there is room for a change."""
        await self._room.wait()

    def put(self, change: Change) -> None:
        """Add a change."""
        last = self._waiting[-1] if self._waiting else None
        if last is not None and _is_state(last) and _is_state(change) and last.road == change.road:
            bots = tuple(dict.fromkeys((*last.bots, *change.bots)))
            self._waiting[-1] = msgspec.structs.replace(last, bots=bots, cursor=moved(last.cursor, change))
        else:
            self._waiting.append(change)
        if len(self._waiting) >= MAX_WAITING:
            self._room.clear()
        self._filled.set()

    def end(self, error: Exception | None) -> None:
        """Say that no more will come, and why; what waits is still handed out."""
        self._ended, self._error = True, error
        self._filled.set()

    async def take(self) -> Change | None:
        """The next change; None at the end.

        Raises:
            Exception: What ended it.
        """
        while not self._waiting:
            if self._ended:
                if self._error is not None:
                    raise self._error
                return None
            self._filled.clear()
            await self._filled.wait()
        self._room.set()
        return self._waiting.popleft()


def _is_state(change: Change) -> bool:
    return not change.events and not change.is_whole and not change.replayed and bool(change.bots)
