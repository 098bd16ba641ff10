"""The lock that keeps a second writer of one name out."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskwatch.errors import WriterLocked
from deskwatch.journal.segment import identity_of

NAME = "lock"
_taking = threading.RLock()


@contextmanager
def no_fork() -> Iterator[None]:
    """Hold forks off while a lock is taken and put where a child finds it: else the child would keep it unknowingly."""
    with _taking:
        yield


class Lock:
    """A writer's folder, locked for this process until `release`. Made by `Lock.take`."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd
        self._identity = identity_of(fd)

    @classmethod
    def take(cls, folder: Path) -> Lock:
        """Lock a folder.

        Raises:
            WriterLocked: Another process holds it; the message names it.
            OSError: The system refused.
        """
        path = folder / NAME
        with no_fork():
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(fd, 0)
                os.pwrite(fd, f"pid {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
                return cls(path, fd)
            except BlockingIOError:
                holder = os.pread(fd, 256, 0).decode(errors="replace").strip()
                os.close(fd)
                raise WriterLocked(str(folder), holder) from None
            except BaseException:
                os.close(fd)
                raise

    def is_held(self) -> bool:
        """Whether the folder's lock file still is the one that was locked, and our descriptor still holds it."""
        try:
            here = os.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return self._is_open()  # a disk in trouble says nothing about the file
        return (here.st_dev, here.st_ino) == self._identity and self._is_open()

    def release(self) -> None:
        """Give the lock back, or in a forked child this process's share of it. Releasing twice is fine."""
        fd, is_open = self._fd, self._is_open()
        self._fd = -1
        if is_open:  # else a bot that closes what it doesn't know may have made the number someone else's
            os.close(fd)

    def _is_open(self) -> bool:
        try:
            return self._fd >= 0 and identity_of(self._fd) == self._identity
        except OSError:
            return False


def _renew() -> None:
    global _taking  # noqa: PLW0603  a lock can't be given back by a thread that is not there
    _taking = threading.RLock()


def _hold() -> None:
    _taking.acquire()


def _go_on() -> None:
    _taking.release()


os.register_at_fork(before=_hold, after_in_parent=_go_on, after_in_child=_renew)
