"""Writing the metrics without holding up the event loop."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from deskwatch import exposition
from deskwatch.projections.metrics import Family, Histogram, Reading
from deskwatch.projections.metrics.reading import SLICE_SECONDS

BLOCK_BYTES = 64 * 1024
"""What is compressed and sent at once, at least."""
GZIP_LEVEL = 1
"""Nine tenths of the gain for a third of the time."""
_GZIP_FRAME = 16 + zlib.MAX_WBITS


class Scraping:
    """One scrape is written at a time: those that come meanwhile wait, so that many cost no memory.

    Attributes:
        duration: How long scrapes took, from their samples to their last byte, without sending it.
    """

    def __init__(self) -> None:
        self.duration = Histogram(
            "deskwatch_scrape_duration_seconds", "Time that reading and writing all metrics took.", ()
        )
        self._one = asyncio.Lock()

    async def scrape(
        self,
        families: Callable[[], list[Family[Any]]],
        content_type: str,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> list[bytes]:
        """The families of now in a form, in blocks.

        What has to be waited for is prepared first. Then each family is read in one go when its turn comes; those that
        are held against the journal, and with them how far it is followed, before all others.
        """
        async with self._one:
            began = time.perf_counter()
            if prepare is not None:
                await prepare()
            picture = _picture(families(), time.time())
            blocks: list[bytes] = []
            written: list[bytes] = []
            size = 0
            until = time.perf_counter() + SLICE_SECONDS
            for piece in exposition.pieces(picture, content_type):
                written.append(piece)
                size += len(piece)
                if size >= BLOCK_BYTES:
                    blocks.append(b"".join(written))
                    written, size = [], 0
                if time.perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = time.perf_counter() + SLICE_SECONDS
            blocks.append(b"".join(written))
            self.duration.observe((), time.perf_counter() - began)
            return blocks


def _picture(families: list[Family[Any]], now: float) -> Iterator[Reading]:
    at_once = {family.name: family.read(now) for family in families if family.reconciles}

    def each() -> Iterator[Reading]:
        for family in families:
            reading = at_once.get(family.name) or family.read(now)
            if reading.cells:
                yield reading

    return each()


async def compressed(blocks: list[bytes]) -> AsyncIterator[bytes]:
    """The blocks as one gzip stream, compressed in a thread."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP_FRAME)
    for block in blocks:
        if packed := await asyncio.to_thread(packer.compress, block):
            yield packed
    yield packer.flush()


async def plain(blocks: list[bytes]) -> AsyncIterator[bytes]:
    """The blocks as they are."""
    for block in blocks:
        yield block
        await asyncio.sleep(0)  # a reader that keeps up would take them all in one step
