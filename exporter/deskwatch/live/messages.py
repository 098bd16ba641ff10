"""The stream's messages, as they come from a sidecar. What this version does not know is passed over."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.live.bot import BotState

Cursor = dict[str, str]
"""`<bot>/<writer>` → `<segment>.<offset>`: the place in that writer's journal from which to go on. What a sidecar adds
after another dot, to know the place again by, is given back to it as it came."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    bot: str
    kind: str
    type: str
    level: str = "info"
    ts: int = 0
    """Nanoseconds since 1970."""
    id: str | None = None
    """`<bot>/<writer>/<segment>.<offset>`: the same wherever and whenever this event is told."""
    number: int | None = None
    provider: str | None = None
    symbol: str | None = None
    raw: msgspec.Raw = msgspec.Raw(b"{}")
    """The journal's line: JSON."""

    @property
    def fields(self) -> dict[str, Any]:  # Any: whatever JSON holds
        """The event's line, decoded anew at each call."""
        found = msgspec.json.decode(self.raw)
        return found if isinstance(found, dict) else {}


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    n: int | None = None
    """1, 2, 3 … on a connection."""


class Snapshot(_Message, frozen=True, kw_only=True, tag="snapshot"):
    """All there is."""

    bots: list[BotState] = []
    epoch: str | int | None = None
    position: int = 0
    cursor: Cursor | None = None
    """Whole. None: the sidecar is one that can't go on from a cursor."""
    now: float | None = None
    reset: str | None = None
    """Why it was not possible to go on from a cursor."""


class Resumed(_Message, frozen=True, kw_only=True, tag="resumed"):
    """The cursor is good: what was missed follows as events."""

    bots: list[BotState] = []
    epoch: str | int | None = None
    position: int = 0
    now: float | None = None


class Events(_Message, frozen=True, kw_only=True, tag="events"):
    """Events, oldest first. The cursor is a delta."""

    events: list[Entry] = []
    position: int = 0
    cursor: Cursor = {}
    replayed: bool = False


class State(_Message, frozen=True, kw_only=True, tag="state"):
    """Bots that changed, each whole."""

    bots: list[BotState] = []
    position: int = 0
    cursor: Cursor = {}


class Heartbeat(_Message, frozen=True, kw_only=True, tag="heartbeat"):
    """All is well."""

    position: int = 0
    now: float | None = None


class Dropped(_Message, frozen=True, kw_only=True, tag="dropped"):
    """The sidecar lets this client go."""

    reason: str = ""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a type that this version does not know."""

    type: str
    n: int | None = None


Message = Snapshot | Resumed | Events | State | Heartbeat | Dropped
KNOWN = frozenset({"snapshot", "resumed", "events", "state", "heartbeat", "dropped"})
_decoder = msgspec.json.Decoder(Message)
_other = msgspec.json.Decoder(Other)


def decode(text: str | bytes) -> Message | Other:
    """A message.

    Raises:
        msgspec.DecodeError: It is none.
    """
    try:
        known: Message = _decoder.decode(text)
    except msgspec.ValidationError:
        other: Other = _other.decode(text)
        if other.type in KNOWN:
            raise
        return other
    return known
