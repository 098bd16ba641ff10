"""The sidecar's silence, as a bot hears it: its beat (`<home>/sidecar.beat`) has stood still for too long.

Told by the monotonic clock: a wall clock that jumps neither hides a silence nor makes one. The time that a machine
sleeps does not count, as nothing of the bot ran in it either.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from deskwatch.events import Mode
from deskwatch.journal.names import BEAT


class Silence:
    """Listens for one bot.

    Args:
        home: The home.
        seconds: How long the beat may stand still, from the bot's own start where there is none.
        mode: What the bot drops to then.
    """

    def __init__(self, home: Path, seconds: float, mode: Mode) -> None:
        self.seconds = seconds
        self.mode = mode
        self._path = home / BEAT
        self._beat = self._look()
        self._heard = time.monotonic()

    def lasts(self) -> bool:
        """Whether it lasts too long by now. Asked a few times in each second."""
        beat = self._look()
        now = time.monotonic()
        if beat != self._beat:
            self._beat, self._heard = beat, now
        return now - self._heard >= self.seconds

    def _look(self) -> int | None:
        try:
            return os.stat(self._path).st_mtime_ns
        except OSError:
            return None
