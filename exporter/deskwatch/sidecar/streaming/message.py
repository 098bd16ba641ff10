"""Messages: encoded once, however many clients they go to. What differs, a connection's count `n`, is put before."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Places

_encoder = msgspec.json.Encoder()
_PLACE_BYTES = 50
"""What a place takes in memory, beside the message itself: with many bots it is most of it."""


class Message:
    """One message as it is shared by all who get it.

    Args:
        fields: The message without `n`.
        places: The whole cursor that it brings its reader to; None where it moves nobody.

    Attributes:
        position: That of the state that it tells; 0 where it tells none.
        is_heartbeat: It tells that all is well, and nothing else.
    """

    __slots__ = ("_data", "_event", "_text", "is_heartbeat", "places", "position", "size")

    def __init__(self, fields: Mapping[str, object], places: Places | None = None) -> None:
        self._data = _encoder.encode(fields)[1:]
        position = fields.get("position")
        self.position = position if isinstance(position, int) else 0
        self.is_heartbeat = fields.get("type") == "heartbeat"
        self.places = places
        self._text: str | None = None
        self._event: tuple[bytes, bytes] | None = None
        self.size = len(self._data) + _PLACE_BYTES * len(places or ())

    def as_text(self, n: int) -> str:
        """The text frame of a WebSocket."""
        if self._text is None:
            self._text = self._data.decode()
        return f'{{"n":{n},{self._text}'

    def as_event(self, n: int) -> bytes:
        """A server-sent event. A journal's line may hold a carriage return between its members, where a space does."""
        if self._event is None:
            place = b"" if self.places is None else b"id: %b\n" % cursor.token(self.places).encode()
            self._event = (b"%bdata: {" % place, b"%b\n\n" % self._data.replace(b"\r", b" "))
        head, tail = self._event
        return b'%b"n":%d,%b' % (head, n, tail)


def heartbeat(position: int) -> Message:
    """All is well."""
    return Message({"type": "heartbeat", "position": position, "now": time.time()})


def dropped(reason: str) -> Message:
    """The last message."""
    return Message({"type": "dropped", "reason": reason})
