"""What a client missed, as messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.message import Message
from deskwatch.sidecar.streaming.past import Past
from deskwatch.sidecar.streaming.replay import Replay

MAX_ROUNDS = 8
"""How often a client that missed something is brought closer before it has to keep up."""
NEAR_BYTES = 256 * 1024
"""A client that is as near as this to what happens now is told the rest at once, and lives on."""
IDLE_SECONDS = 1.0
"""A client hears something after this time, however long the disk takes or others are read to."""


async def meanwhile(reading: asyncio.Future[Any], idle: Callable[[], Iterable[Message]]) -> AsyncIterator[Message]:
    """What a client is sent until something was read.

    Args:
        reading: What is waited for; its exception is left in it.
        idle: What there is to send, asked whenever it has been quiet for IDLE_SECONDS.
    """
    try:
        while not (await asyncio.wait({reading}, timeout=IDLE_SECONDS))[0]:
            for message in idle():
                yield message
    finally:
        reading.cancel()


async def tell(
    replay: Replay, places: Places, position: Callable[[], int], past: Past, idle: Callable[[], Iterable[Message]]
) -> AsyncIterator[Message]:
    """The events up to there.

    Args:
        replay: Where the client is.
        places: Where it is to get to.
        position: The one that goes with a message; never one from before a message that was sent already.
        past: Reads them.
        idle: What to send while that takes long.

    Raises:
        Gone: A journal is not as it was.
    """
    replay.aim(places)
    while True:
        reading = asyncio.ensure_future(past.read(replay.read))
        async for message in meanwhile(reading, idle):
            yield message
        piece = reading.result()
        if piece is None:
            return
        fields = {
            "type": "events",
            "position": position(),
            "cursor": cursor.shown(piece.moved),
            "events": piece.entries,
            "replayed": True,
        }
        yield Message(fields, dict(replay.seen))
