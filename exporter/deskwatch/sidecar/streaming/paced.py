"""Doing something often enough, and not more often: what happens within a while is told as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Paced:
    """Has something done, at once where it was not done for a while, else when the while is over."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._done_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def plan(self, seconds: float) -> None:
        """Have it done, so many seconds after it was done last; sooner, if that was planned."""
        loop = asyncio.get_running_loop()
        due = self._done_at + seconds
        if due <= loop.time():
            self.do()
        elif self._timer is None or self._timer.when() > due:
            self.cancel()
            self._timer = loop.call_at(due, self.do)

    def do(self) -> None:
        """Do it now."""
        self.cancel()
        self._done_at = asyncio.get_running_loop().time()
        self._act()

    def cancel(self) -> None:
        """Forget what is planned."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
