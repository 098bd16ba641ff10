"""The last 24 hours of a pool, by the minute: what its price changed by and what was traded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

DAY_SECONDS = 86_400
BUCKET_SECONDS = 60


@dataclass
class _Minute:
    start: int
    opening_price: float
    volume: float = 0.0


@dataclass
class Day:
    """Rolling figures of one pool, in at most 1441 buckets."""

    complete: bool
    """Whether what was seen reaches back to the pool's own beginning; else figures are withheld for a day."""
    _minutes: deque[_Minute] = field(default_factory=deque)
    _since: int | None = None

    def add(self, timestamp: int, price: float, volume: float) -> None:
        """Take in one block: its Unix time, the price after it, and the quote that was traded in it."""
        self._since = timestamp if self._since is None else self._since
        start = timestamp - timestamp % BUCKET_SECONDS
        if not self._minutes or self._minutes[-1].start != start:
            self._minutes.append(_Minute(start, price))
        self._minutes[-1].volume += volume
        while self._minutes[0].start <= timestamp - DAY_SECONDS:
            self._minutes.popleft()
            self.complete = True

    @property
    def volume(self) -> float | None:
        """Quote traded in 24 hours, or since the pool began; None while too little was seen to tell."""
        return sum(minute.volume for minute in self._minutes) if self.complete else None

    def change_ratio(self, price: float) -> float | None:
        """Change over 24 hours, or since the pool began; None while too little was seen to tell."""
        return price / self._minutes[0].opening_price - 1 if self.complete and self._minutes else None
