"""Activity from the segments, oldest first, from a cursor on: a bounded piece for each who asks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from deskwatch.journal import Position, names
from deskwatch.projections.activity import Entry, Filter
from deskwatch.sidecar.streaming.cursor import Key, Place, Places
from deskwatch.sidecar.streaming.replay import Replay
from deskwatch.sidecar.streaming.topic import Topic

MAX_PIECES = 32
"""Pieces of `deskwatch.sidecar.streaming.replay` that are read, whether anything is found or not."""


class Onwards(NamedTuple):
    """Events, oldest first, and up to where the journals were read."""

    entries: list[Entry]
    seen: dict[Key, Place]


def topic_of(wanted: Filter) -> Topic:
    """The journals that a filter may find something in."""
    return Topic(None if wanted.bot is None else frozenset([wanted.bot]))


def beginnings(home: Path, places: Places) -> dict[Key, Place]:
    """Where the journals begin that are there by now. Reads from disk."""
    firsts = {key: names.segments(names.writer_folder(home, *key))[:1] for key in places}
    return {key: Place(Position(first[0], 0)) if first else places[key] for key, first in firsts.items()}


def read(home: Path, seen: Places | None, places: Places, wanted: Filter, limit: int) -> Onwards:
    """What passes a filter. Reads from disk.

    Args:
        home: Whose journals.
        seen: Where to begin; None for the beginning of what there is.
        places: Up to where the journals are folded in.
        wanted: Which events are wanted.
        limit: The most that are wanted.

    Raises:
        Gone: The journals don't have what follows the cursor.
    """
    topic = topic_of(wanted)
    places = topic.of(places)
    replay = Replay(home, topic, beginnings(home, places) if seen is None else seen)
    try:
        replay.check(places)
        replay.aim(places)
        entries: list[Entry] = []
        for _ in range(MAX_PIECES):
            piece = replay.read(limit - len(entries)) if len(entries) < limit else None
            if piece is None:
                break
            entries += [entry for entry in piece.entries if wanted.accepts(entry)]
    finally:
        replay.close()
    return Onwards(entries, replay.seen)
