"""What retention removed from the journals, as it remembers it: the base that the counters stand on."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deskwatch import base
from deskwatch.journal import Position


class Removed(msgspec.Struct, kw_only=True):
    """The remembered base of a home.

    Attributes:
        positions: By bot and writer: what lies before was removed, and is counted here.
        events: Events removed, by bot, writer and type.
        invalid: Lines removed that were no event, by bot, writer and reason.
    """

    positions: dict[tuple[str, str], Position] = {}
    events: dict[tuple[str, str, str], int] = {}
    invalid: dict[tuple[str, str, str], int] = {}


def load(home: Path) -> Removed:
    """What the base of a home says now; nothing where nothing was removed."""
    found = base.load(home)
    return Removed(positions=found.positions, events=found.events, invalid=found.invalid)
