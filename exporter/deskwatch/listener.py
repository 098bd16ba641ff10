"""A bot's event loop that waits for commands: it is woken from another thread, and asked how late it is."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Listener:
    """One loop. May be used from any thread.

    Args:
        loop: The loop.
        woken: Set when there may be something to do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
        self._loop = loop
        self._woken = woken
        self._asked: float | None = None
        self._lag: float | None = None

    def wake(self) -> None:
        """Let the loop look for commands."""
        with contextlib.suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(self._woken.set)

    def lag_seconds(self) -> float | None:
        """How late the loop answered to the last question, or has not answered yet; then it is asked again.

        None before the first answer, and once it is closed. A loop that is blocked shows by a lag that grows from call
        to call.
        """
        asked = self._asked
        if asked is not None:
            return time.monotonic() - asked
        lag = self._lag
        self._asked = time.monotonic()
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # it is closed
            self._asked = self._lag = None
            return None
        return lag

    def _answer(self) -> None:
        if self._asked is not None:
            self._lag = time.monotonic() - self._asked
            self._asked = None
