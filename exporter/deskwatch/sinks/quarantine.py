"""Where lines go that a sink can't deliver: kept with the reason, never dropped in silence, each once."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from deskwatch.journal import START, Position
from deskwatch.sinks.cursor import Key

_encoder = msgspec.json.Encoder()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line that was put aside."""

    bot: str
    writer: str
    segment: int = -1
    """Where the line lies in the journal: its segment and its first byte. -1 in rows of older versions."""
    offset: int = -1
    reason: str
    line: str


_rows = msgspec.json.Decoder(Row)  # made here: several sinks read theirs at the same time, each in a thread


def row_of(key: Key, at: Position, line: bytes, reason: str) -> Row:
    """The row of a line that lies at this place."""
    bot, writer = key
    return Row(bot=bot, writer=writer, segment=at.segment, offset=at.offset, reason=reason, line=_text(line))


class Quarantine:
    """`<home>/sinks/<name>.quarantine.ndjson`: one JSON object for each line."""

    def __init__(self, home: Path, name: str) -> None:
        self.path = home / "sinks" / f"{name}.quarantine.ndjson"
        self._known: set[tuple[Key, Position, str]] = set()

    def load(self, positions: Mapping[Key, Position]) -> None:
        """Know the rows that were written for lines at or behind these positions. A torn last row is taken back.

        Raises:
            OSError: The file is there and can't be read or mended.
        """
        self._known.clear()
        try:
            file = self.path.open("r+b")
        except (FileNotFoundError, IsADirectoryError):
            return  # what can't be written either will say so then
        with file:
            end = 0
            for text in file:
                if not text.endswith(b"\n"):
                    file.truncate(end)
                    os.fsync(file.fileno())
                    break
                end += len(text)
                try:
                    row = _rows.decode(text)
                except msgspec.DecodeError:
                    continue
                key, at = (row.bot, row.writer), Position(row.segment, row.offset)
                if row.segment >= 0 and at >= positions.get(key, START):
                    self._known.add((key, at, row.line))

    def has(self, key: Key, at: Position, line: bytes) -> bool:
        """Whether the line at this place was put aside before the crash that it is read again after."""
        return bool(self._known) and (key, at, _text(line)) in self._known

    def put(self, rows: Sequence[Row]) -> None:
        """Append lines and put them on disk together.

        Raises:
            OSError: The disk refused; none of the lines is quarantined, and nothing of their rows stays behind.
        """
        data = b"".join(_encoder.encode(row) + b"\n" for row in rows)
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            try:
                _write_all(fd, data)
                os.fsync(fd)
            except OSError:
                os.ftruncate(fd, size)
                raise
        finally:
            os.close(fd)
        if size == 0:
            self._sync_folder()

    def _sync_folder(self) -> None:
        fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _text(line: bytes) -> str:
    return line.decode(errors="backslashreplace")


def _write_all(fd: int, data: bytes) -> None:
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
