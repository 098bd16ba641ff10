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
from deskwatch.journal import START, Position, names
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
    is_whole: bool = True
    projections: msgspec.Raw = msgspec.Raw(b"{}")


class Base:
    """What was removed. Empty until something was.

    Attributes:
        positions: (bot, writer) → up to where it was removed.
        events: (bot, writer, type) → events removed.
        invalid: (bot, writer, reason) → lines removed that were no event.
        removed: bot → segments removed.
        overflowed: (bot, sink) → lines that went although the sink had not delivered them.
        is_lost: There is a file that can't be read: what it remembered is not known.
        is_whole: Nothing that was removed is missing from it: it was never lost, nor of another version.
        is_outdated: The file still has the position of a journal that was begun anew; whoever may write saves it.
    """

    def __init__(self) -> None:
        self.positions: dict[Key, Position] = {}
        self.events: dict[tuple[str, str, str], int] = {}
        self.invalid: dict[tuple[str, str, str], int] = {}
        self.removed: dict[str, int] = {}
        self.overflowed: dict[tuple[str, str], int] = {}
        self.is_lost = False
        self.is_whole = True
        self.is_outdated = False
        self._format = FORMAT
        self._dump: bytes | None = None  # encoded, so that whoever loads it has a copy of their own

    def is_within(self, positions: Mapping[Key, Position]) -> bool:
        """Whether these positions include all that was removed."""
        return all(positions.get(key, START) >= position for key, position in self.positions.items())

    def restore(self, projections: Projections) -> bool:
        """Load what was folded into empty projections.

        Returns False where that was not possible in whole, as it is of another version: then the counters and
        histograms whose form is the same are loaded, and live state is not.
        """
        if self._dump is None:
            return self.is_whole
        dump: Any = msgspec.json.decode(self._dump)  # Any: another version's, maybe
        if self._format == FORMAT:
            try:
                projections.load(dump)
                return self.is_whole
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                logger.error("the remembered base does not fit", extra={"error": str(error)})
                projections.reset()
        metrics = dump.get("metrics") if isinstance(dump, dict) else None
        projections.metrics.load_totals(metrics.get("families", {}) if isinstance(metrics, dict) else {})
        for (bot, writer), position in self.positions.items():
            projections.continuity.begin(bot, writer, position.segment)
        return False

    def with_more(self, projections: Projections, key: Key, position: Position, *, is_whole: bool) -> Base:
        """The base once a segment was folded in: a new one, which counts when it is saved.

        Args:
            projections: What `restore` gave, folded up to `position`.
            key: Whose segment.
            position: Behind it.
            is_whole: What `restore` said.
        """
        base = Base()
        base.is_lost, base.is_whole = self.is_lost, is_whole
        base._format, base._dump = FORMAT, msgspec.json.encode(projections.dump())
        base.positions = {**self.positions, key: position}
        base.events = projections.metrics.event_counts()
        base.invalid = projections.metrics.invalid_counts()
        base.removed = {**self.removed, key[0]: self.removed.get(key[0], 0) + 1}
        base.overflowed = dict(self.overflowed)
        return base

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
            is_whole=self.is_whole,
            projections=msgspec.Raw(self._dump or b"{}"),
        )
        if self.is_lost:  # what can't be read is put aside, for whoever can
            path_of(home).replace(home / "base.json.unreadable")
            self.is_lost = False
        atomic.write(path_of(home), msgspec.json.encode(file))
        self.is_outdated = False


def path_of(home: Path) -> Path:
    """The base's file."""
    return home / "base.json"


def load(home: Path) -> Base:
    """The base of a home; an empty one where nothing was removed, or where the file can't be read (`is_lost`).

    Where all that a writer has lies before its position, its journal was begun anew: then it has no position.
    """
    base = Base()
    try:
        file = msgspec.json.decode(path_of(home).read_bytes(), type=_File)
    except FileNotFoundError:
        return base
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        base.is_lost, base.is_whole = True, False
        logger.error(
            "the remembered base can't be read: counters lack what retention removed", extra={"error": str(error)}
        )
        return base
    for bot, writer, segment, offset in file.positions:
        if _began_anew(home, bot, writer, segment):
            base.is_outdated = True
        else:
            base.positions[bot, writer] = Position(segment, offset)
    base.events = {(bot, writer, kind): count for bot, writer, kind, count in file.events}
    base.invalid = {(bot, writer, reason): count for bot, writer, reason, count in file.invalid}
    base.removed = dict(file.removed)
    base.overflowed = {(bot, sink): count for bot, sink, count in file.overflowed}
    base.is_whole = file.is_whole
    base._format, base._dump = file.format, bytes(file.projections)  # noqa: SLF001  made here
    return base


def _began_anew(home: Path, bot: str, writer: str, segment: int) -> bool:
    """Whether a writer has segments, yet none from there on. Retention never removes the newest."""
    found = names.segments(names.writer_folder(home, bot, writer))
    return bool(found) and found[-1] < segment
