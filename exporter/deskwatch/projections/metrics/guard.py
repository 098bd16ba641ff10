"""What keeps the families of one projection bounded: limits, the time of the fold, and what was turned away."""

from __future__ import annotations

from collections import Counter

MAX_SERIES = 1000
"""Label sets that a family holds of one bot."""
IDLE_SECONDS = 3600.0
"""How long a label set must not have been updated to make room for another."""
SCAN_SECONDS = 60.0
"""Least time between two looks for such label sets, of one family and bot."""
EARLIEST_SECONDS = 1_577_836_800.0
"""2020-01-01: no bot that writes a journal is older. A clock that says so was never set."""
LATEST_SECONDS = 4_102_444_800.0
"""2100-01-01."""


class Guard:
    """Shared by all families of one projection. All times are the bots' own: a fold has no clock.

    Attributes:
        max_series: Label sets that a family holds of one bot.
        seconds: Unix time of the record that is folded, or of the newest before it whose time was sane.
        is_sane: Whether that record's own time is.
        folded: Family → updates that found it full.
        evicted: Family → label sets that were idle and made room.
        refused: Bot, family, reason → values that were not taken.
    """

    idle_seconds = IDLE_SECONDS
    scan_seconds = SCAN_SECONDS

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self.max_series = max_series
        self.seconds = 0.0
        self.is_sane = False
        self.folded: Counter[str] = Counter()
        self.evicted: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str, str]] = Counter()

    def begin(self, bot: str, seconds: float) -> None:
        """A record of this time is about to be folded. An absurd time is counted and passed over."""
        self.is_sane = EARLIEST_SECONDS <= seconds < LATEST_SECONDS
        if self.is_sane:
            self.seconds = seconds
        else:
            self.refuse(bot, "ts", "absurd")

    def fold(self, family: str) -> None:
        """Count an update that found its family full."""
        self.folded[family] += 1

    def evict(self, family: str) -> None:
        """Count a label set that was idle and is forgotten."""
        self.evicted[family] += 1

    def refuse(self, bot: str, family: str, reason: str) -> None:
        """Count a value that was not taken."""
        self.refused[bot, family, reason] += 1
