"""Where a source's memory is kept: `<home>/sources/<bot>.<writer>.json`, with how far the journal is folded into it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from deskwatch import atomic
from deskwatch.errors import InvalidLine
from deskwatch.events import Event
from deskwatch.journal import Position, WriterFollower, folders, read
from deskwatch.sources.memory import Memory, Told

logger = logging.getLogger(__name__)

_Mind = TypeVar("_Mind", bound=Memory)


class _Kept(msgspec.Struct, kw_only=True):
    position: Position
    memory: Any
    told: Any


class Checkpoint:
    """Of one writer. One that can't be used is left aside, and all that the journal holds is folded: slower, no worse.

    It never knows of more than is on disk, so after a power cut the journal holds at least what it was made of.
    """

    def __init__(self, home: Path, bot: str, writer: str) -> None:
        self._path = home / "sources" / f"{bot}.{writer}.json"
        self._follower = WriterFollower(home, bot, writer)

    def load(self, memory: _Mind, told: Told) -> tuple[_Mind, Told]:
        """The memories as of the journal's end; as they were given where there is nothing yet.

        Raises:
            OSError: The journal can't be read.
        """
        kept = self._read()
        if kept is not None:
            try:
                if (kept.memory["version"], kept.told["version"]) == (memory.version, told.version):
                    memory = msgspec.convert(kept.memory, type(memory))
                    told = msgspec.convert(kept.told, Told)
                    self._follower.position = kept.position
            except (msgspec.ValidationError, KeyError, TypeError):
                logger.warning("a source's memory can't be used; its journal is read anew", extra=self._which())
        while (batch := self._follower.read()) is not None:
            for line in batch.lines:
                try:
                    event = read(line, batch.bot, batch.writer).event
                except InvalidLine:
                    continue  # the sidecar counts it
                if isinstance(event, Event):
                    memory.fold(event)
                    told.fold(event)
        self._follower.close()
        return memory, told

    def save(self, memory: Memory, told: Told) -> None:
        """Write the memories down, as of the journal's end, which has to be on disk.

        Raises:
            OSError: The system refused.
        """
        kept = _Kept(
            position=self._follower.end(),
            memory=msgspec.to_builtins(memory) | {"version": memory.version},
            told=msgspec.to_builtins(told) | {"version": told.version},
        )
        for changed in folders.make(self._path.parent):
            folders.sync(changed)
        atomic.write(self._path, msgspec.json.encode(kept))

    def _read(self) -> _Kept | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            logger.warning("a source's memory can't be read; its journal is read anew", extra=self._which())
            return None

    def _which(self) -> dict[str, str]:
        return {"file": str(self._path)}
