"""What a client missed, as messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.message import Message
from deskwatch.sidecar.streaming.past import Past
from deskwatch.sidecar.streaming.replay import Replay


async def tell(replay: Replay, places: Places, position: Callable[[], int], past: Past) -> AsyncIterator[Message]:
    """The events up to there.

    Args:
        replay: Where the client is.
        places: Where it is to get to.
        position: The one that goes with a message; never one from before a message that was sent already.
        past: Reads them.

    Raises:
        Gone: A journal is not as it was.
    """
    replay.aim(places)
    while (piece := await past.read(replay.read)) is not None:
        fields = {
            "type": "events",
            "position": position(),
            "cursor": cursor.shown(piece.moved),
            "events": piece.entries,
            "replayed": True,
        }
        yield Message(fields, dict(replay.seen))
