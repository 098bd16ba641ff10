"""How late the event loop is: whatever holds it up holds up every answer."""

from __future__ import annotations

import asyncio

from deskwatch.projections.metrics import Histogram
from deskwatch.sidecar.steady import Steady

LOOK_SECONDS = 0.5


class LoopLag(Steady):
    """Asks to be woken at a time, and observes how much later that is. An async context manager.

    Attributes:
        lag: What was observed.
    """

    def __init__(self) -> None:
        self.lag = Histogram(
            "deskwatch_event_loop_lag_seconds", "How much later than asked the sidecar's event loop woke a task.", ()
        )

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self.lag.observe((), max(0.0, loop.time() - due))
