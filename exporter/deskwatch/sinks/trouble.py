"""What goes wrong between a sink and its destination: counted, and told without flooding the log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence

from deskwatch.sinks.quarantine import Row

logger = logging.getLogger(__name__)

MAX_REASON = 1000
"""Characters of a destination's words that go into quarantine and into the log."""
TELL_SECONDS = 60.0


class Stopping(Exception):
    """The sink is to stop, and what it has in hand is not delivered. The next start goes on with it."""


class Trouble:
    """Counts what went wrong, and logs it when it begins and once a minute while it lasts.

    Attributes:
        failures: Tries that have to be made again, by reason, since the start.
    """

    def __init__(self, sink: str) -> None:
        self.failures: Counter[str] = Counter()
        self._sink = sink
        self._told = -TELL_SECONDS

    def tell(self, reason: str, detail: str) -> None:
        """One more."""
        self.failures[reason] += 1
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            extra = {"sink": self._sink, "reason": reason, "detail": detail[:MAX_REASON]}
            logger.warning("no delivery, trying again", extra=extra)


class Poison:
    """Tells of lines that were quarantined: once a minute for each kind of reason, with how many they are by then."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self._told: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def tell(self, rows: Sequence[Row]) -> None:
        """Take in what was put aside."""
        latest = {row.reason.partition(" ")[0]: row for row in rows}  # a status, or what is wrong with the line
        self._untold.update(row.reason.partition(" ")[0] for row in rows)
        now = time.monotonic()
        for kind, row in latest.items():
            if now - self._told.get(kind, -TELL_SECONDS) >= TELL_SECONDS:
                self._told[kind] = now
                extra = {"sink": self._sink, "bot": row.bot, "reason": row.reason[:200]}
                logger.warning("lines were quarantined", extra=extra | {"lines": self._untold.pop(kind)})
