"""What went wrong inside a bot's recorder: counted by reason, and told once for each reason on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter


class Trouble:
    """Keeps the bot going: nothing here raises.

    Attributes:
        lost: Events that could not be journaled, by reason.
    """

    def __init__(self, bot: str) -> None:
        self._bot = bot
        self._told: set[str] = set()
        self.lost: Counter[str] = Counter()

    def lose(self, reason: str, error: BaseException) -> None:
        """Count one event that could not be journaled."""
        self.lost[reason] += 1
        self.tell(reason, f"an event was lost: {error}")

    def tell(self, reason: str, message: str) -> None:
        """Say it on stderr, unless this reason was told before."""
        if reason not in self._told:
            self._told.add(reason)
            with contextlib.suppress(Exception):  # stderr may be full, closed or gone: the bot goes on
                print(f"deskwatch: {self._bot}: {message} (told once for each reason)", file=sys.stderr, flush=True)
