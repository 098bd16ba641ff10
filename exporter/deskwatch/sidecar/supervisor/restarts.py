"""Whether and when a bot that ended is started again: backoff, and when it is given up. No I/O and no clock."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from deskwatch.supervised import Restart, Supervised

JITTER = 0.5
"""The share of a pause that is random, so that bots that fell together don't rise together."""


class Restarts:
    """Decides after each end that nobody asked for.

    Attributes:
        gave_up: Whether it was a crash loop: no restart until `rearm`.
    """

    def __init__(self, settings: Supervised, chance: Callable[[], float] = random.random) -> None:
        self.gave_up = False
        self._settings = settings
        self._chance = chance
        self._ends: deque[float] = deque(maxlen=settings.crash_limit)
        self._pauses = 0

    def after(self, exit_code: int | None, *, now: float, ran_seconds: float) -> float | None:
        """Seconds until the next start, None for none.

        Args:
            exit_code: How the bot ended; None where that is not known, which counts as a failure.
            now: Of a clock that only goes forward.
            ran_seconds: How long the bot ran.
        """
        settings = self._settings
        if settings.restart is Restart.NEVER or (settings.restart is Restart.ON_FAILURE and exit_code == 0):
            return None
        self._ends.append(now)
        if len(self._ends) == settings.crash_limit and now - self._ends[0] <= settings.crash_seconds:
            self.gave_up = True
            return None
        if ran_seconds >= settings.healthy_seconds:
            self._pauses = 0
        pause = min(settings.most_pause_seconds, settings.first_pause_seconds * 2.0 ** min(self._pauses, 30))
        self._pauses += 1
        return pause * (1 - JITTER * self._chance())

    def rearm(self) -> None:
        """A person starts the bot: what was before counts no more."""
        self.gave_up = False
        self._ends.clear()
        self._pauses = 0
