"""How long this process stood still, as a thread beside it sees that does nothing else.

A busy machine, a collection of garbage: what holds up this thread, too, is no fault of the loop that is judged.
"""

from __future__ import annotations

import threading
import time
from typing import Self

TICK_SECONDS = 0.01


class Standstill:
    """Measures within `with`.

    Attributes:
        longest: Seconds of the longest one so far.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="standstill", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(TICK_SECONDS):
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now
