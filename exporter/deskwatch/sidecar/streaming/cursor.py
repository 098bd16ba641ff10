"""Cursors: up to where a client has seen each journal, so that it can go on from there whatever happened meanwhile.

On the wire a cursor is an object, `{"<bot>/<writer>": "<segment>.<offset>"}`; a part of it says only what moved, and is
merged into what the client holds. In a header or a query it is that object as base64url. A place may end in
`.<mark>`, the CRC-32 of the line before it, by which a segment that was replaced meanwhile is told from the one that
was seen; without it only the line's end is looked for.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping

import msgspec

from deskwatch.errors import ConfigError
from deskwatch.journal import START, Position, names

MAX_PLACES = 10_000
"""Writers in one cursor."""
_PLACE = re.compile(r"(\d{1,19})\.(\d{1,19})(?:\.(\d{1,10}))?", re.ASCII)

Key = tuple[str, str]
"""Bot and writer."""


class MalformedCursor(ValueError):
    """What a client gave is no cursor."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """How far a journal was seen.

    Attributes:
        position: Behind the last line that was seen.
        mark: That line's CRC-32 (zlib's, of the line as it stands, without its newline); None where it is not known.
    """

    position: Position = START
    mark: int | None = None

    def __str__(self) -> str:
        """As it is in a cursor."""
        mark = "" if self.mark is None else f".{self.mark}"
        return f"{self.position.segment}.{self.position.offset}{mark}"


Places = Mapping[Key, Place]

BEGINNING = Place()
"""Of a journal of which nothing was seen."""


def mark_of(line: bytes) -> int:
    """What a line is known by again."""
    return zlib.crc32(line)


def shown(places: Places) -> dict[str, str]:
    """A cursor as it is in a message."""
    return {f"{bot}/{writer}": str(place) for (bot, writer), place in places.items()}


def read(value: object) -> dict[Key, Place]:
    """A cursor that a client gave.

    Raises:
        MalformedCursor: It is none.
    """
    if not isinstance(value, dict) or len(value) > MAX_PLACES:
        raise MalformedCursor('expected a cursor as messages have it: {"<bot>/<writer>": "<segment>.<offset>", …}')
    return dict(_place(key, text) for key, text in value.items())


def _place(key: object, text: object) -> tuple[Key, Place]:
    match = _PLACE.fullmatch(text) if isinstance(text, str) else None
    bot, _, writer = str(key).partition("/")
    if match is None:
        raise MalformedCursor(f'expected "<segment>.<offset>" for {str(key)[:130]!r} in the cursor')
    try:
        names.check_name("bot's name", bot)
        names.check_name("writer's name", writer)
    except ConfigError:
        raise MalformedCursor(f'expected "<bot>/<writer>" in the cursor, was {str(key)[:130]!r}') from None
    position = Position(int(match[1]), int(match[2]))
    return (bot, writer), Place(position, int(match[3]) if match[3] else None)


def token(places: Places) -> str:
    """A cursor as it is in a header or a query."""
    return base64.urlsafe_b64encode(msgspec.json.encode(shown(places))).decode().rstrip("=")


def from_token(text: str) -> dict[Key, Place]:
    """The cursor of a header or a query.

    Raises:
        MalformedCursor: It is none.
    """
    try:
        value = msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        raise MalformedCursor("expected a cursor as base64url, as an event's `id:` has it") from None
    return read(value)
