"""How late the event loop is: whatever holds it up holds up every answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from deskwatch.projections.metrics import Histogram

LOOK_SECONDS = 0.5


class LoopLag:
    """Asks to be woken at a time, and observes how much later that is. An async context manager.

    Attributes:
        lag: What was observed.
    """

    def __init__(self) -> None:
        self.lag = Histogram(
            "deskwatch_event_loop_lag_seconds", "How much later than asked the sidecar's event loop woke a task.", ()
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look(), name="loop lag")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self.lag.observe((), max(0.0, loop.time() - due))
