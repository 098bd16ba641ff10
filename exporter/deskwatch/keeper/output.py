"""A bot's output in files of bounded size and number: `<bot>.log` is written, `<bot>.log.1` is the one before.

One process writes, so that a file is renamed between two writes and no byte is lost. What a disk refuses is dropped and
counted: a full disk must not stop a bot that prints.
"""

from __future__ import annotations

import contextlib
import os
from itertools import pairwise
from pathlib import Path


class Output:
    """Rotated files. Nothing here raises.

    Args:
        path: The file that is written.
        max_bytes: Size at which it is full.
        files: Files that are kept, the one being written among them.

    Attributes:
        lost_bytes: Bytes that the disk refused and that the files do not tell of yet.
    """

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        self.lost_bytes = 0
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        self._fd = -1
        self._size = 0
        self._is_within_line = False
        self._why = ""

    def write(self, data: bytes) -> None:
        """Append. A line that fits a file is in one file, as far as it came in one piece."""
        self._tell_of_loss()
        while data:
            room = self._room()
            if len(data) <= room:
                self._put(data)
                return
            cut = data.rfind(b"\n", 0, room) + 1
            if not cut and (self._is_within_line or self._size == 0):
                cut = room
            self._put(data[:cut])
            data = data[cut:]
            if not self._rotate():
                self.lost_bytes += len(data)
                return

    def close(self) -> None:
        """Release the file."""
        self._tell_of_loss()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _room(self) -> int:
        if self._fd < 0:
            try:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._size = os.fstat(self._fd).st_size
                if 0 < self._size < self._max_bytes and os.pread(self._fd, 1, self._size - 1) != b"\n":
                    self._put(b"\n")  # an earlier run ended within a line; this one's first is no part of it
            except OSError as error:
                self._why = error.strerror or str(error)
                self._size = 0
        return max(0, self._max_bytes - self._size)

    def _put(self, data: bytes) -> int:
        """Write what the disk takes; the rest is lost. Returns how much it took."""
        done = 0
        try:
            while done < len(data) and self._fd >= 0:
                done += os.write(self._fd, data[done:] if done else data)
        except OSError as error:
            self._why = error.strerror or str(error)
        self._size += done
        self.lost_bytes += len(data) - done
        if data:
            self._is_within_line = data[-1:] != b"\n"
        return done

    def _tell_of_loss(self) -> None:
        lost = self.lost_bytes
        if not lost:
            return
        self._room()
        told = f"\ndeskwatch: {lost} bytes of output could not be written: {self._why}\n".encode()
        took = self._put(told)
        self.lost_bytes = 0 if took == len(told) else lost

    def _rotate(self) -> bool:
        """Begin a file; whether there is one with room."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._files))]
        try:
            for newer, older in reversed(list(pairwise(names))):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(newer, older)
            if len(names) == 1:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            self._why = error.strerror or str(error)
        return self._room() > 0
