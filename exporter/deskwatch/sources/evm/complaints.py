"""Telling what can't be read, once and in words, until it can."""

from __future__ import annotations

from deskwatch import events as ev
from deskwatch.sources.evm.wire import words
from deskwatch.sources.watched import Watched

LOGGER = "evm"
"""Under which name it is in the bot's log."""
MAX_WORDS = 500


class Complaints:
    """What is amiss now, by what it is about."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._open: set[str] = set()

    def raise_(self, about: str, message: str) -> None:
        """Tell it, unless it is told already."""
        if about not in self._open:
            self._open.add(about)
            self.tell(f"{about}: {message}")

    def settle(self, about: str) -> None:
        """It is well now."""
        if about in self._open:
            self._open.remove(about)
            self._watched.emit(ev.LogRecorded(message=f"{about} can be read again", levelname="INFO", name=LOGGER))

    def tell(self, message: str) -> None:
        """Tell it, whatever was told before."""
        self._watched.emit(ev.LogRecorded(message=words(message, MAX_WORDS), levelname="WARNING", name=LOGGER))
