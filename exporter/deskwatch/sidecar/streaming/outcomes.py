"""What became of predictions: the events that resolved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from deskwatch.journal import Position
from deskwatch.journal.names import CONTROL
from deskwatch.projections.activity import Entry, Filter
from deskwatch.sidecar.streaming import history
from deskwatch.sidecar.streaming.cursor import Key

RESOLVED = "prediction_resolved"
MAX_BYTES = 32 * 1024 * 1024
"""Read for one page of predictions."""


class _Named(msgspec.Struct):
    prediction_id: str


class Outcomes(NamedTuple):
    """Resolving lines by bot and prediction, and whether all that may hold one was looked through."""

    lines: dict[tuple[str, str], msgspec.Raw]
    are_complete: bool

    def of(self, prediction: Entry) -> msgspec.Raw | None:
        """The line that resolved a prediction."""
        return self.lines.get(_name(prediction))


def _name(entry: Entry) -> tuple[str, str]:
    return entry.bot, msgspec.json.decode(entry.raw, type=_Named).prediction_id


def kept(entries: Iterable[Entry]) -> dict[tuple[str, str], msgspec.Raw]:
    """The outcomes among what is in memory."""
    return {_name(entry): entry.raw for entry in entries if entry.type == RESOLVED}


def find(
    home: Path, ends: Mapping[Key, Position], predictions: list[Entry], known: dict[tuple[str, str], msgspec.Raw]
) -> Outcomes:
    """The outcomes of predictions. Reads from disk where not all of them are known.

    Raises:
        OSError: A journal can't be read.
    """
    names = {_name(entry) for entry in predictions}
    found = {name: raw for name, raw in known.items() if name in names}
    are_complete = True
    for bot in {bot for bot, _ in names - found.keys()}:
        missing = {name for name in names - found.keys() if name[0] == bot}
        since = min(entry.ts for entry in predictions if _name(entry) in missing)
        page = history.read(
            home,
            {key: end for key, end in ends.items() if key[0] == bot and key[1] != CONTROL},
            Filter(bot=bot, type=RESOLVED, since_ts=since),
            len(missing),
            max_bytes=MAX_BYTES,
            also=lambda entry, missing=missing: _name(entry) in missing,  # type: ignore[misc]  # bound at once
        )
        found |= {_name(entry): entry.raw for entry in page.entries}
        are_complete &= page.before is None or missing <= found.keys()
    return Outcomes(found, are_complete)
