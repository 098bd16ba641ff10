"""The remembered base: what retention removed, as it was counted.

`<home>/base.json` holds the projections folded over every segment that was removed, and the positions up to which that
goes. A replay starts from it, so that counters are the same whether a segment is still there or not. Beside the
projections, which a later version may not understand, it keeps the counts by bot, writer and type in a form of their
own that stays.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from deskwatch import atomic
from deskwatch.journal import START, Position
from deskwatch.projections import FORMAT, Projections

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the file's own form."""

Key = tuple[str, str]


class _File(msgspec.Struct, kw_only=True):
    version: int
    positions: list[tuple[str, str, int, int]]
    events: list[tuple[str, str, str, int]]
    invalid: list[tuple[str, str, str, int]]
    removed: list[tuple[str, int]]
    overflowed: list[tuple[str, str, int]]
    format: int
    projections: dict[str, Any]


class Base:
    """What was removed. Empty until something was.

    Attributes:
        positions: (bot, writer) → up to where it was removed.
        events: (bot, writer, type) → events removed.
        invalid: (bot, writer, reason) → lines removed that were no event.
        removed: bot → segments removed.
        overflowed: (bot, sink) → lines that went although the sink had not delivered them.
        is_lost: There is a file that can't be read: what it remembered is not known.
    """

    def __init__(self) -> None:
        self.positions: dict[Key, Position] = {}
        self.events: dict[tuple[str, str, str], int] = {}
        self.invalid: dict[tuple[str, str, str], int] = {}
        self.removed: dict[str, int] = {}
        self.overflowed: dict[tuple[str, str], int] = {}
        self.is_lost = False
        self._format = FORMAT
        self._dump: dict[str, Any] | None = None

    def is_within(self, positions: Mapping[Key, Position]) -> bool:
        """Whether these positions include all that was removed."""
        return all(positions.get(key, START) >= position for key, position in self.positions.items())

    def restore(self, projections: Projections) -> bool:
        """Load what was folded into empty projections.

        Returns False where that was not possible in whole, as it is of another version: then the counters and
        histograms whose form is the same are loaded, and live state is not.
        """
        if self._dump is None:
            return not self.is_lost
        if self._format == FORMAT:
            try:
                projections.load(self._dump)
                return True
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                logger.error("the remembered base does not fit", extra={"error": str(error)})
                projections.reset()
        metrics = self._dump.get("metrics", {})
        projections.metrics.load_totals(metrics.get("families", {}) if isinstance(metrics, dict) else {})
        return False

    def remember(self, projections: Projections, key: Key, position: Position) -> None:
        """Take in the projections, folded up to a position of one writer."""
        self._format, self._dump = FORMAT, projections.dump()
        self.positions[key] = position
        self.events = projections.metrics.event_counts()
        self.invalid = projections.metrics.invalid_counts()

    def save(self, home: Path) -> None:
        """Put it on disk.

        Raises:
            OSError: The disk refused; the file is as it was.
        """
        file = _File(
            version=VERSION,
            positions=[(bot, writer, at.segment, at.offset) for (bot, writer), at in self.positions.items()],
            events=[(*key, count) for key, count in self.events.items()],
            invalid=[(*key, count) for key, count in self.invalid.items()],
            removed=list(self.removed.items()),
            overflowed=[(*key, count) for key, count in self.overflowed.items()],
            format=self._format,
            projections=self._dump or {},
        )
        if self.is_lost:  # what can't be read is put aside, for whoever can
            path_of(home).replace(home / "base.json.unreadable")
            self.is_lost = False
        atomic.write(path_of(home), msgspec.json.encode(file))


def path_of(home: Path) -> Path:
    """The base's file."""
    return home / "base.json"


def load(home: Path) -> Base:
    """The base of a home; an empty one where nothing was removed, or where the file can't be read (`is_lost`)."""
    base = Base()
    try:
        file = msgspec.json.decode(path_of(home).read_bytes(), type=_File)
    except FileNotFoundError:
        return base
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        base.is_lost = True
        logger.error(
            "the remembered base can't be read: counters lack what retention removed", extra={"error": str(error)}
        )
        return base
    base.positions = {(bot, writer): Position(segment, offset) for bot, writer, segment, offset in file.positions}
    base.events = {(bot, writer, kind): count for bot, writer, kind, count in file.events}
    base.invalid = {(bot, writer, reason): count for bot, writer, reason, count in file.invalid}
    base.removed = dict(file.removed)
    base.overflowed = {(bot, sink): count for bot, sink, count in file.overflowed}
    base._format, base._dump = file.format, file.projections  # noqa: SLF001  made here
    return base
