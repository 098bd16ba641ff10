"""Where a source's memory is kept: `<home>/sources/<bot>@<writer>.json`, with how far the journal is folded into it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from deskwatch import atomic
from deskwatch.errors import InvalidLine
from deskwatch.events import CommandFailed, CommandStarted, CommandSucceeded, Event, EventsLost
from deskwatch.journal import Position, WriterFollower, folders, names, read
from deskwatch.sources.memory import Memory, Told

logger = logging.getLogger(__name__)

FIRST_SEQ = 1
"""Of a journal's first segment."""
_MindT = TypeVar("_MindT", bound=Memory)
_NOT_TOLD = (CommandStarted, CommandSucceeded, CommandFailed, EventsLost)
"""What stands in the journal without the source's `emit`: no memory is made of it."""


class Kept(msgspec.Struct, kw_only=True):
    """The memories as of a place of the journal."""

    position: Position
    memory: msgspec.Raw
    told: msgspec.Raw


class _Versioned(msgspec.Struct):
    version: int


_told = msgspec.json.Decoder(Told)


class Checkpoint:
    """Of one writer. One that can't be used is left aside, and all that the journal holds is folded: slower, no worse.

    It never knows of more than is on disk, so after a power cut the journal holds at least what it was made of. Where
    retention has removed what would have to be folded, all that happened before the first line that is left counts as
    told (`Told.before`): it was, and the figures hold it.
    """

    def __init__(self, home: Path, bot: str, writer: str) -> None:
        self._path = home / "sources" / f"{bot}@{writer}.json"  # a name may have a dot, and no @
        self._follower = WriterFollower(home, bot, writer)

    def load(self, memory: _MindT, told: Told) -> tuple[_MindT, Told]:
        """The memories as of the journal's end; as they were given where there is nothing yet.

        Raises:
            OSError: The journal can't be read.
        """
        kept = self._read()
        if kept is not None:
            try:
                if all(_is_of_version(*pair) for pair in ((kept.memory, memory), (kept.told, told))):
                    memory, told = msgspec.json.decode(kept.memory, type=type(memory)), _told.decode(kept.told)
                    self._follower.position = kept.position
            except (msgspec.DecodeError, UnicodeDecodeError):
                logger.warning("a source's memory can't be used; its journal is read anew", extra=self._which())
        begin = self._follower.position.segment
        is_cut = max(begin, FIRST_SEQ) < min(names.segments(self._follower.folder), default=0)
        try:
            while (batch := self._follower.read()) is not None:
                for line in batch.lines:
                    ts = _fold(line, batch.bot, batch.writer, memory, told)
                    if is_cut and ts is not None:
                        is_cut = False
                        told.before = max(told.before, ts / 1e9)
                        logger.warning(
                            "a source's memory is lost, and so is the beginning of its journal; what happened before "
                            "the rest of it counts as told",
                            extra=self._which() | {"before": told.before},
                        )
        finally:
            self._follower.close()
        return memory, told

    def take(self, memory: Memory, told: Told) -> Kept:
        """The memories as of the journal's end, to be written once that end is on disk.

        Raises:
            OSError: The journal can't be read.
        """
        return Kept(
            position=self._follower.end(),
            memory=msgspec.Raw(msgspec.json.encode(memory)),
            told=msgspec.Raw(msgspec.json.encode(told)),
        )

    def write(self, kept: Kept) -> None:
        """Put it on disk.

        Raises:
            OSError: The system refused; the file is as it was.
        """
        for changed in folders.make(self._path.parent):
            folders.sync(changed)
        atomic.write(self._path, msgspec.json.encode(kept))

    def _read(self) -> Kept | None:
        """What was kept, unless it is of another journal than is there now: then what it knows was not told."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            logger.warning("a source's memory can't be read; its journal is read anew", extra=self._which())
            return None
        segments = names.segments(self._follower.folder)
        is_known = kept.position.segment in segments or kept.position.segment < min(segments, default=0)
        if not is_known or kept.position > self._follower.end():
            logger.warning("a source's memory is of another journal; this one is read", extra=self._which())
            return None
        return kept

    def _which(self) -> dict[str, str]:
        return {"file": str(self._path)}


def _is_of_version(kept: msgspec.Raw, empty: Memory) -> bool:
    return msgspec.json.decode(kept, type=_Versioned).version == empty.version


def _fold(line: bytes, bot: str, writer: str, memory: Memory, told: Told) -> int | None:
    """When the line was journaled, Unix time in nanoseconds; None of one that can't be read."""
    try:
        record = read(line, bot, writer)
    except InvalidLine:
        return None  # the sidecar counts it
    event = record.event
    if isinstance(event, Event) and not isinstance(event, _NOT_TOLD):
        memory.fold(event)
        told.fold(event, record.ts / 1e9)
    return record.ts
