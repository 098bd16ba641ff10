"""How often what is asked of freqtrade: half a request a second when all is quiet.

A message of the stream brings what it concerns forward. The client's pace holds in any case.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SOON_SECONDS = 0.2
"""Messages that come within this time are answered by one look."""
EVERY_SECONDS: dict[str, float] = {
    "status": 5.0,
    "state": 10.0,
    "balance": 30.0,
    "profit": 120.0,
    "locks": 60.0,
    "logs": 60.0,
    "whitelist": 60.0,
}
"""What → how long after the last look at it the next comes."""
REQUESTS: dict[str, int] = {"state": 2}
"""How many requests a look takes, where it is not one: `show_config` and `health`."""
STIRS: dict[str, tuple[str, ...]] = {
    "status": ("state",),
    "startup": ("state", "whitelist"),
    "entry": ("status",),
    "entry_fill": ("status", "balance"),
    "entry_cancel": ("status",),
    "exit": ("status",),
    "exit_fill": ("status", "balance"),
    "exit_cancel": ("status",),
    "protection_trigger": ("locks",),
    "protection_trigger_global": ("locks",),
    "whitelist": ("whitelist",),
    "warning": ("logs",),
    "exception": ("logs",),
    "liquidation_warning": ("status", "logs"),
}
"""A message's topic → what it says has changed."""
LEAST_SECONDS: dict[str, float] = {"balance": 5.0, "whitelist": 20.0, "logs": 5.0, "locks": 2.0}
"""What is brought forward comes no sooner than this after the last look at it: a burst of messages is many."""


class Schedule:
    """When to look at what is in `EVERY_SECONDS`.

    Args:
        clock: Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = dict.fromkeys(EVERY_SECONDS, clock())
        self._looked: dict[str, float] = {}
        self._again: set[str] = set()

    def due(self) -> list[str]:
        """What is to be looked at now, what was due first ahead: none waits for ever where all are asked for often."""
        now = self._clock()
        return sorted((what for what in EVERY_SECONDS if self._due[what] <= now), key=self._due.__getitem__)

    def wait_seconds(self) -> float:
        """How long nothing is due."""
        return max(min(self._due.values()) - self._clock(), 0.0)

    def looked(self, what: str) -> None:
        """It was looked at."""
        self._looked[what] = self._clock()
        pause = LEAST_SECONDS.get(what, 0.0) if what in self._again else EVERY_SECONDS[what]
        self._again.discard(what)
        self._due[what] = self._clock() + pause

    def stir(self, topic: str) -> bool:
        """The stream said something; whether that brings a look forward."""
        concerned = STIRS.get(topic, ())
        for what in concerned:
            soonest = self._looked.get(what, float("-inf")) + LEAST_SECONDS.get(what, 0.0)
            self._due[what] = min(self._due[what], max(self._clock() + SOON_SECONDS, soonest))
        return bool(concerned)

    def sooner(self, what: str) -> None:
        """A look at it brought nothing: the next comes as soon as it may."""
        self._again.add(what)

    def all_at_once(self) -> None:
        """Nothing is known any more."""
        self._due = dict.fromkeys(EVERY_SECONDS, self._clock())
