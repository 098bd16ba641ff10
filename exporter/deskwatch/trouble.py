"""What went wrong inside a bot's recorder: counted by reason, and told once for each reason on stderr."""

from __future__ import annotations

import contextlib
import errno
import sys
import threading
from collections import Counter

from deskwatch.errors import JournalError

_REASONS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EROFS: "read_only",
}


class Trouble:
    """Keeps the bot going: nothing here raises.

    Attributes:
        lost: Events of this run that could not be journaled, by reason (`deskwatch.events.lifecycle.LOSS_REASONS`).
    """

    def __init__(self, bot: str) -> None:
        self._bot = bot
        self._told: set[str] = set()
        self._lock = threading.RLock()
        self._reported: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()

    def lose(self, error: BaseException) -> None:
        """Count one event that could not be journaled."""
        reason = reason_of(error)
        with self._lock:
            self.lost[reason] += 1
        self.tell(reason, f"an event was lost: {error}")

    def befall(self, reason: str, events: int, message: str) -> None:
        """What happened to the journal itself: how many events were lost by it, and what it was."""
        if events:
            with self._lock:
                self.lost[reason] += events
        self.tell(reason, message)

    def unreported(self) -> list[tuple[str, int]]:
        """Losses that the journal does not know of yet: reason and events."""
        if not self.lost:
            return []
        with self._lock:
            return sorted((self.lost - self._reported).items())

    def report(self, reason: str, events: int) -> None:
        """The journal knows of these."""
        with self._lock:
            self._reported[reason] += events

    def tell(self, reason: str, message: str) -> None:
        """Say it on stderr, unless this reason was told before."""
        if reason not in self._told:
            self._told.add(reason)
            with contextlib.suppress(Exception):  # stderr may be full, closed or gone: the bot goes on
                print(f"deskwatch: {self._bot}: {message} (told once for each reason)", file=sys.stderr, flush=True)

    def forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()


def reason_of(error: BaseException) -> str:
    """Why an event was lost, in a word that a metric's label can take."""
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, "io_error")
    return "closed" if isinstance(error, JournalError) else "bad_event"
