"""Writing the metrics without holding up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from deskwatch import exposition
from deskwatch.projections.metrics import Family, readings

SLICE_SECONDS = 0.002
"""How long a scrape works before the event loop has its turn."""


class Scraping:
    """One scrape at a time: those that come meanwhile wait for their own, so that many cost no memory.

    Attributes:
        seconds: How long the newest scrape took.
        scrapes: How many there were.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.scrapes = 0
        self._one = asyncio.Lock()

    async def scrape(self, families: Callable[[], list[Family[Any]]], content_type: str) -> bytes:
        """The families of now in a form. They are read in one go: their figures agree with each other."""
        async with self._one:
            began = time.perf_counter()
            picture = readings(families(), time.time())
            written = []
            until = time.perf_counter() + SLICE_SECONDS
            for piece in exposition.pieces(picture, content_type):
                written.append(piece)
                if time.perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + SLICE_SECONDS
            body = b"".join(written)
            self.scrapes += 1
            self.seconds = time.perf_counter() - began
            return body
