"""What every sink that follows the journals shows of itself."""

from __future__ import annotations

from collections import Counter
from typing import Protocol


class Sink(Protocol):
    """A consumer with a cursor of its own. Safe to ask from another thread than its own."""

    @property
    def name(self) -> str:
        """The label of its metrics, and of its files under `<home>/sinks/`."""

    @property
    def failures(self) -> Counter[str]:
        """Deliveries that have to be tried again, by reason, since the start."""

    @property
    def delivered(self) -> int:
        """What the destination has, ever; as written down, so that a crash takes nothing back."""

    @property
    def quarantined(self) -> int:
        """What it refused for good, ever; as written down."""

    @property
    def rereads(self) -> int:
        """How often a journal was not what was read, and part of it was read again, since the start."""

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet."""

    def lag_seconds(self) -> float:
        """Age of the oldest line under way, by its own time; 0 when there is none."""
