"""Writing the metrics without holding up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deskwatch import exposition
from deskwatch.projections.metrics import Family, Histogram, readings

SLICE_SECONDS = 0.002
"""How long a scrape works before the event loop has its turn."""


class Scraping:
    """One scrape at a time: those that come meanwhile wait for their own, so that many cost no memory.

    Attributes:
        duration: How long scrapes took, from their samples to their last byte.
    """

    def __init__(self) -> None:
        self.duration = Histogram(
            "deskwatch_scrape_duration_seconds", "Time that reading and writing all metrics took.", ()
        )
        self._one = asyncio.Lock()

    async def scrape(
        self, prepare: Callable[[], Awaitable[None]], families: Callable[[], list[Family[Any]]], content_type: str
    ) -> bytes:
        """The families of now in a form. Once prepared, they are read in one go: their figures agree."""
        async with self._one:
            began = time.perf_counter()
            await prepare()
            picture = readings(families(), time.time())
            written = []
            until = time.perf_counter() + SLICE_SECONDS
            for piece in exposition.pieces(picture, content_type):
                written.append(piece)
                if time.perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + SLICE_SECONDS
            body = b"".join(written)
            self.duration.observe((), time.perf_counter() - began)
            return body
