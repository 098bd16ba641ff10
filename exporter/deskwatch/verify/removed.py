"""What retention removed from the journals, as it remembers it: the base that the counters stand on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from deskwatch import base
from deskwatch.journal import START, Position


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

    def start_of(self, journal: tuple[str, str], segments: Sequence[int]) -> Position:
        """Where the lines begin that are not counted here, in a journal (bot and writer) with these segments.

        Segments before the position are leftovers: counted, and about to go. But the one at the position was there when
        they were counted, and retention leaves a writer its newest. Where there is none from the position on, the
        journal was taken away and began anew, and nothing of it was counted.
        """
        position = self.positions.get(journal, START)
        return position if any(first >= position.segment for first in segments) else START


def load(home: Path) -> Removed:
    """What the base of a home says now; nothing where nothing was removed."""
    found = base.load(home)
    return Removed(positions=found.positions, events=found.events, invalid=found.invalid)
