"""What a reader of the live state is handed."""

from __future__ import annotations

from typing import Literal

import msgspec

from deskwatch.live.messages import Cursor, Entry

Road = Literal["stream", "polling", "down"]
"""How the data comes: pushed, asked for every second, or not at all."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something new. A change with neither events nor bots tells that the road is another one now.

    Attributes:
        road: How it came.
        events: New events, oldest first: each exactly once, as long as `reset` is None.
        bots: Names of the bots whose state is new; the state is in `live.bots`.
        replayed: Whether these events were missed while the connection was broken, and are told now.
        reset: Why events may be missing before this: the journal no longer holds the place that was to be gone on from,
            or the sidecar is one that can't. None where nothing is missing.
        cursor: The places that it moves to; `live.cursor` has them merged.
        is_whole: Whether the cursor stands for all writers, in place of what was held.
    """

    road: Road
    events: tuple[Entry, ...] = ()
    bots: tuple[str, ...] = ()
    replayed: bool = False
    reset: str | None = None
    cursor: Cursor | None = None
    is_whole: bool = False


def moved(cursor: Cursor | None, change: Change) -> Cursor | None:
    """The cursor after a change."""
    if change.is_whole or cursor is None or change.cursor is None:
        return change.cursor if change.is_whole or cursor is None else cursor
    return {**cursor, **change.cursor}
