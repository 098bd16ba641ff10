"""What every event shares: the struct's settings and the aliases that its fields use.

An event is one typed fact about a bot. Its own fields are in its family's file; the envelope (`v`, `ts`, `seq`, `run`,
`crc`) is added by the journal's writer and read back by `deskwatch.journal.line`.
"""

from __future__ import annotations

import os
import re
import threading
from typing import Annotated, Any, TypeAlias

import msgspec

Number: TypeAlias = float | None
"""A figure. A bot that measured NaN or an infinity is recorded as null, and counted."""

Integer: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits. What is larger (wei) is a decimal string."""

Json: TypeAlias = Any
"""What a free-form field may hold: any JSON value (`Any`, as msgspec reads no recursive alias)."""

making_decoder = threading.Lock()
"""Held by whoever makes a decoder of an event's class while other threads may run. msgspec fills in what it knows of a
class when it is first asked for, and a second thread that asks meanwhile reads it half made: the process dies."""

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(name: str) -> str:
    """`OrderFilled` → `order_filled`: the `type` of an event on the wire."""
    return _WORD_START.sub("_", name).lower()


os.register_at_fork(
    before=making_decoder.acquire, after_in_parent=making_decoder.release, after_in_child=making_decoder.release
)  # a child never finds it held by a thread that it does not have


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=snake_case):
    """Base of all events. Optional fields that were not given are left out of the line."""

    trace: str | None = None
    """W3C trace id, 32 hex digits, of the order's life that this event belongs to."""
    cause: str | None = None
    """Id of the order, decision or command that this event follows from."""
    happened_timestamp_seconds: Number = None
    """Unix time at which it happened, where a source learnt of it noticeably later: from a peer's history, or after an
    outage. Absent: when it was journaled."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a type that this version does not know: kept, counted and shipped, but not interpreted."""

    trace: str | None = None
    cause: str | None = None
