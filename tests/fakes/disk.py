"""A disk that fails on demand, under the journals of one home.

It stands between the code and the `os` functions that the journal uses: every call that concerns a file of the home is
numbered, and may be refused in place of being made. It also keeps account of what a power loss would leave, by the
kernel's rules: what was written is safe once a sync of its file succeeds; a sync that fails forgets it, so that a later
sync says yes without it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from unittest import mock

CALLS = ("open", "write", "pwrite", "pread", "ftruncate", "fdatasync", "fsync")


class FaultyDisk:
    """A context manager; the disk is sound unless told otherwise.

    Attributes:
        calls: Names of the calls made since the start, in order.
        refuses: Asked for each call's number (from 0) and name: the errno to refuse it with, or 0.
        synced_again: Descriptions that were synced again after their sync had failed: there must be none.
    """

    def __init__(self, home: Path) -> None:
        self._home = str(home)
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in (*CALLS, "dup", "close")}
        self._patches = ExitStack()
        self._files: dict[int, tuple[int, Any]] = {}
        self._descriptions = 0
        self._failed: set[int] = set()
        self._dirty: dict[Any, set[int]] = {}
        self._safe: dict[Any, set[int]] = {}
        self._forgotten: dict[Any, set[int]] = {}
        self.calls: list[str] = []
        self.refuses: Callable[[int, str], int] = lambda _, __: 0
        self.synced_again: list[int] = []

    def __enter__(self) -> Self:
        for name in (*CALLS, "dup", "close"):
            self._patches.enter_context(mock.patch.object(os, name, getattr(self, f"_{name}")))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def fail_once(self, number: int, code: int) -> None:
        """Refuse one call, by its number from now on."""
        self._from_now(lambda at: at == number, code)

    def fail_from(self, number: int, code: int) -> None:
        """Refuse every call from a number on, until `repair`. A disk that is full or read-only still reads."""
        self._from_now(lambda at: at >= number, code)

    def repair(self) -> None:
        """Refuse nothing any more."""
        self.refuses = lambda _, __: 0

    def would_lose(self, file: Path) -> int:
        """Bytes of a file, of those written since the start, that a power loss would take."""
        status = file.stat()
        key = (status.st_dev, status.st_ino)
        written = self._dirty.get(key, set()) | self._safe.get(key, set()) | self._forgotten.get(key, set())
        return len({at for at in written if at < status.st_size} - self._safe.get(key, set()))

    def _from_now(self, hits: Callable[[int], bool], code: int) -> None:
        del self.calls[:]
        reads = ("pread",) if code in (errno.ENOSPC, errno.EROFS) else ()
        self.refuses = lambda at, name: code if hits(at) and name not in reads else 0

    def _ask(self, name: str) -> None:
        self.calls.append(name)
        code = self.refuses(len(self.calls) - 1, name)
        if code:
            raise OSError(code, os.strerror(code))

    def _take_in(self, fd: int) -> None:
        status = os.fstat(fd)
        self._descriptions += 1
        self._files[fd] = (self._descriptions, (status.st_dev, status.st_ino))

    def _open(self, path: Any, flags: int, *more: Any, **named: Any) -> int:
        if not str(path).startswith(self._home):
            return int(self._real["open"](path, flags, *more, **named))
        self._ask("open")
        fd = int(self._real["open"](path, flags, *more, **named))
        self._take_in(fd)
        return fd

    def _dup(self, fd: int) -> int:
        copy = int(self._real["dup"](fd))
        if fd in self._files:
            self._files[copy] = self._files[fd]
        return copy

    def _close(self, fd: int) -> None:
        self._files.pop(fd, None)
        self._real["close"](fd)

    def _write(self, fd: int, data: bytes) -> int:
        return self._written(fd, data, os.fstat(fd).st_size, "write", fd, data)

    def _pwrite(self, fd: int, data: bytes, at: int) -> int:
        return self._written(fd, data, at, "pwrite", fd, data, at)

    def _written(self, fd: int, data: bytes, at: int, name: str, *call: Any) -> int:
        if fd not in self._files:
            return int(self._real[name](*call))
        self._ask(name)
        written = int(self._real[name](*call))
        key = self._files[fd][1]
        places = set(range(at, at + written))
        self._dirty.setdefault(key, set()).update(places)
        self._safe.get(key, set()).difference_update(places)
        return written

    def _pread(self, fd: int, *more: Any) -> bytes:
        if fd in self._files:
            self._ask("pread")
        return bytes(self._real["pread"](fd, *more))

    def _ftruncate(self, fd: int, size: int) -> None:
        if fd in self._files:
            self._ask("ftruncate")
            for places in (self._dirty, self._safe, self._forgotten):
                key = self._files[fd][1]
                places[key] = {at for at in places.get(key, set()) if at < size}
        self._real["ftruncate"](fd, size)

    def _fdatasync(self, fd: int) -> None:
        self._sync(fd, "fdatasync")

    def _fsync(self, fd: int) -> None:
        self._sync(fd, "fsync")

    def _sync(self, fd: int, name: str) -> None:
        if fd not in self._files:
            self._real[name](fd)
            return
        description, key = self._files[fd]
        if description in self._failed:
            self.synced_again.append(description)
        dirty = self._dirty.pop(key, set())
        try:
            self._ask(name)
        except OSError:
            self._failed.add(description)
            self._forgotten.setdefault(key, set()).update(dirty)  # the kernel takes the pages for clean from now on
            raise
        self._safe.setdefault(key, set()).update(dirty)
