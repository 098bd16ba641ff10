"""What of a journal is known to be on disk. Writing waits for no sync: a disk that stalls may hold that up for long."""

from __future__ import annotations

import asyncio
import threading

from deskwatch.errors import DeskwatchError
from deskwatch.journal.chained import ChainedWriter


class OnDisk:
    """One writer's lines. `append` and `sync` block, and are called on threads; `sync` by one at a time.

    Attributes:
        written: Lines written.
        confirmed: Of those, how many of the first are on disk.
        error: Why the newest sync failed, if it did.
        task: The sync that is under way.
    """

    def __init__(self, writer: ChainedWriter) -> None:
        self.written = 0
        self.confirmed = 0
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self._writer = writer
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, bytes]] = []
        """Lines that are not confirmed: `seq` and body."""

    def append(self, body: bytes) -> None:
        """Write a line.

        Raises:
            OSError: The journal can't be written.
            JournalError: The journal is locked by another process, or closed.
        """
        with self._lock:
            self._waiting.append((self._writer.append(body), body))
            self.written += 1

    def sync(self) -> bool:
        """Put what was written so far on disk; whether it is there. What was removed meanwhile is written again."""
        with self._lock:
            goal, due = self.written, list(self._waiting)
        try:
            self._writer.sync()
            gone = [body for seq, body in due if seq < self._writer.gone_before]
            for body in gone:
                self._writer.append(body)
            if gone:
                self._writer.sync()
        except (OSError, DeskwatchError) as error:
            self.error = error
            return False
        with self._lock:
            del self._waiting[: len(due)]
        self.error, self.confirmed = None, goal
        return True
