"""What a group remembers between events: by id, bounded, and JSON-able, as it goes into the checkpoint.

Nothing here is exact beyond its bounds: the oldest is forgotten, and ids that agree in their first MAX_ID_LENGTH
characters are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MAX_ID_LENGTH = 128
"""Characters of an id that are remembered: a faulty bot's may be as long as a line."""
MAX_WRITERS = 100
"""Writers of one bot that are remembered."""


def identifier(text: str) -> str:
    """An event's id as it is remembered."""
    return text[:MAX_ID_LENGTH]


def keep(known: dict[str, Any], key: str, value: Any, most: int) -> Any:  # Any: any JSON value
    """Remember a value as the newest; returns the oldest one where that had to go, else None."""
    known.pop(key, None)
    known[key] = value
    return known.pop(next(iter(known))) if len(known) > most else None


def increases(known: dict[str, Any], key: str, run: str | None, totals: Sequence[int], most: int) -> list[int]:
    """What totals since the start of a run have grown by since they were told last.

    Args:
        known: What was told last, by `key`; brought up to date.
        key: Whose totals they are.
        run: The run that they are of. Another one's began at 0, and so did one that is lower than before.
        totals: What is told now.
        most: How many keys are remembered.
    """
    run_before, *before = known.get(key) or (None,)
    keep(known, key, [run, *totals], most)
    if run_before != run or len(before) != len(totals):
        before = [0] * len(totals)
    return [now - was if now >= was else now for now, was in zip(totals, before, strict=True)]
