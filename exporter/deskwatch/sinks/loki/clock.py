"""What time it is at Loki: its answers say so, and this machine's clock may step.

Loki judges times by its own clock. Between two answers time is counted by the monotonic clock, so that a step of this
machine's clock changes no decision. Before the first answer there is only this machine's clock.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

TOLERANCE_NS = 2 * 10**9
"""A difference within this is no difference: the header counts whole seconds, and an answer takes its time."""


class LokiClock:
    """Loki's clock, as its `Date` header last told it."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None
        """Loki's time and the monotonic clock at one moment, ns."""

    def now_ns(self) -> int:
        """The time at Loki, ns since 1970."""
        if self._told is None:
            return time.time_ns()
        then, monotonic = self._told
        return then + time.monotonic_ns() - monotonic

    def tell(self, date: str | None) -> None:
        """Take in an answer's `Date`; one that is absent or no date changes nothing."""
        told = date_ns(date)
        if told is None:
            return
        here = time.time_ns()
        self._told = (here if abs(told - here) <= TOLERANCE_NS else told, time.monotonic_ns())


def date_ns(header: str | None) -> int | None:
    """An HTTP date as ns since 1970; None where it is none."""
    if not header:
        return None
    try:
        return int(parsedate_to_datetime(header).timestamp()) * 10**9
    except (ValueError, TypeError, OverflowError):
        return None
