"""What the Loki sink says of each line: delivered, in quarantine, or neither yet."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from deskwatch.journal import START, Position
from deskwatch.sinks.cursor import Cursor

SINK = "loki"
Journal = tuple[str, str]
"""Bot, writer."""
Place = tuple[int, int]
"""Segment, offset."""
_NOWHERE = (START, START)


class _Row(msgspec.Struct, kw_only=True):
    bot: str
    writer: str
    reason: str
    line: str
    segment: int = -1
    """-1 in rows of an older sink, which names no place."""
    offset: int = -1


class Sent:
    """The sink's cursor and quarantine, as of the time of loading."""

    def __init__(self) -> None:
        self._positions: dict[Journal, Position] = {}
        self._ahead: dict[Journal, tuple[Position, Position]] = {}
        self._places: defaultdict[Journal, set[Place]] = defaultdict(set)
        self._texts: defaultdict[Journal, Counter[int]] = defaultdict(Counter)

    def load(self, home: Path) -> Sent:
        """Read both. The cursor first: a line is put in quarantine before the cursor passes it."""
        cursor = Cursor(home, SINK)
        if cursor.path.exists():  # loading makes the folder of one that doesn't
            cursor.load()
        self._positions = dict(cursor.positions)
        self._ahead = dict(getattr(cursor, "ahead", {}))
        path = home / "sinks" / f"{SINK}.quarantine.ndjson"
        if path.exists():
            with path.open("rb") as file:
                for text in file:
                    self._put_aside(text)
        return self

    def _put_aside(self, text: bytes) -> None:
        try:
            row = msgspec.json.decode(text, type=_Row)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # torn by a crash: its line is not passed by the cursor, and comes again
        key = (row.bot, row.writer)
        if row.segment >= 0 and row.offset >= 0:
            self._places[key].add((row.segment, row.offset))
        else:
            self._texts[key][hash(row.line)] += 1

    def journals(self) -> set[Journal]:
        """The journals that the sink has begun to deliver."""
        return set(self._positions)

    def position(self, journal: Journal) -> Place:
        """Everything before is delivered or in quarantine."""
        at = self._positions.get(journal, START)
        return at.segment, at.offset

    def is_delivered(self, journal: Journal, place: Place) -> bool:
        """Whether the sink has passed the line at this place."""
        if place < self.position(journal):
            return True
        start, end = self._ahead.get(journal, _NOWHERE)
        return (start.segment, start.offset) <= place < (end.segment, end.offset)

    def is_quarantined(self, journal: Journal, place: Place, line: bytes) -> bool:
        """Whether the line was put aside. Rows that name no place (an older sink's) count for one line each."""
        if place in self._places.get(journal, ()):
            return True
        texts = self._texts.get(journal)
        if not texts:
            return False
        digest = hash(line.decode(errors="backslashreplace"))
        if texts[digest] <= 0:
            return False
        texts[digest] -= 1
        return True
