"""Hummingbot's log and notices, and events that nobody here knows."""

from __future__ import annotations

import logging
import time

from deskwatch.events import ErrorOccurred, LogRecorded
from deskwatch.scrub import scrub, scrub_value
from deskwatch.sources.hummingbot.payload import Fields, moment, name, number, text
from deskwatch.sources.lateness import late
from deskwatch.sources.watched import Watched

LEAST_LEVEL = logging.WARNING
"""Of what is journaled; Hummingbot logs an INFO line for each step of each order."""
PER_SECOND = 20.0
BURST = 200.0
"""Records that are journaled on average, and at once; how many more there were is said."""


class Records:
    """Journals records, not more than a flood of them is worth."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._tokens = BURST
        self._looked = time.monotonic()
        self._left_out = 0

    def log(self, told: Fields) -> None:
        """A record of Hummingbot's log."""
        level = number(told.get("level_no")) or 0.0
        if level < LEAST_LEVEL or not self._may():
            return
        message = scrub(text(told.get("msg")))
        logger = name(told.get("logger_name"), 100) or "hummingbot"
        when = late(moment(told.get("timestamp")), time.time())
        if level >= logging.ERROR:
            first, _, rest = message.partition("\n")
            self._watched.emit(
                ErrorOccurred(
                    component=logger,
                    kind=_exception(rest) or "error",
                    message=first,
                    levelname="CRITICAL" if level >= logging.CRITICAL else "ERROR",
                    exc_info=rest or None,
                    happened_timestamp_seconds=when,
                )
            )
        else:
            self._watched.emit(
                LogRecorded(message=message, levelname="WARNING", name=logger, happened_timestamp_seconds=when)
            )

    def notice(self, told: Fields) -> None:
        """A message that Hummingbot shows its user."""
        message = scrub(text(told.get("msg"))).strip()
        if message and self._may():
            self._watched.emit(LogRecorded(message=message, levelname="INFO", name="notify"))

    def unknown(self, kind: str, data: Fields, at: float | None) -> None:
        """An event that has no place in the vocabulary, or lacks what it should have."""
        if self._may():
            self._watched.emit(
                LogRecorded(
                    message=f"event {kind or 'without a type'}",
                    levelname="DEBUG",
                    name="events",
                    extra=scrub_value(data),
                    happened_timestamp_seconds=late(at, time.time(), 1.0),
                )
            )

    def _may(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._looked) * PER_SECOND)
        self._looked = now
        if self._tokens < 1:
            self._left_out += 1
            return False
        self._tokens -= 1
        if self._left_out:
            message = f"{self._left_out} more records of Hummingbot came than are journaled"
            self._watched.emit(LogRecorded(message=message, levelname="WARNING", name="deskwatch"))
            self._left_out = 0
        return True


def _exception(traceback: str) -> str | None:
    """The exception's class, by the last line of a traceback."""
    last = traceback.strip().rpartition("\n")[2]
    found = last.partition(":")[0].strip().rpartition(".")[2]
    return found[:60] if found.isidentifier() else None
