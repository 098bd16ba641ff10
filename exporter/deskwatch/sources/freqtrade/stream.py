"""freqtrade's WebSocket: what it says by itself, as it happens. A wake-up: the truth is read back over REST.

`GET message/ws?token=…`, then `{"type": "subscribe", "data": [topics]}` (freqtrade `rpc/api_server/api_ws.py`). There
is no acknowledgement, another subscription replaces the one before, and one topic that it does not know voids all of
it. So what every version knows is subscribed first, and all that this one may know after: that counts, or is dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from deskwatch.sources.freqtrade.client import Client


class Told(msgspec.Struct, frozen=True):
    """Something that freqtrade said."""

    topic: str
    """`entry_fill`, `status` …: one of the topics, but for an `exception` that answers us."""
    body: dict[str, Any]
    """All of it, as it came: Any, as nothing of it was checked."""


class Reconnected(msgspec.Struct, frozen=True):
    """The stream is there, anew: what was said meanwhile was missed."""


class Cut(msgspec.Struct, frozen=True):
    """The stream is not there."""

    reason: str
    """In one of few words: `unauthorized`, `restart` (the configuration is read again), `closed`, `refused` …"""
    detail: str
    """For people; without secrets."""


Message = Told | Reconnected | Cut


async def messages(client: Client) -> AsyncIterator[Message]:
    """What freqtrade says, for ever: `Reconnected`, then `Told`s, then a `Cut`, and anew after a while."""
    raise NotImplementedError
    yield Reconnected()
