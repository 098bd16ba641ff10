"""How often a peer is asked: a bucket of tokens."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """At most `per_second` requests on average, and `burst` at once.

    Args:
        per_second: Tokens that come in a second.
        burst: Tokens that the bucket holds.
    """

    def __init__(self, per_second: float = 1.0, burst: float = 10.0) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._looked = time.monotonic()
        self._line = asyncio.Lock()

    async def turn(self, *, urgent: bool = False) -> None:
        """Wait until one may ask. What is urgent (a person's command) does not wait, but those after it do.

        They wait no longer than a full bucket takes to come: many commands must not keep a source from looking at all.
        """
        if urgent:
            self._fill()
            self._tokens = max(self._tokens - 1, -self._burst)
            return
        async with self._line:
            latest = time.monotonic() + self._burst / self._per_second
            while True:
                self._fill()
                left = latest - time.monotonic()
                if self._tokens >= 1 or left <= 0:
                    self._tokens = max(self._tokens - 1, -self._burst)
                    return
                await asyncio.sleep(min((1 - self._tokens) / self._per_second, left))

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._looked) * self._per_second)
        self._looked = now
