"""A segment's file as its writer knows it: its descriptor, its length, and how much of it is known to be on disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from deskwatch.journal import names

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


class Segment:
    """One segment that this writer opened.

    A descriptor whose write or sync failed is given up (`drop`), and another is opened on the same file (`reopen`).

    Attributes:
        path: Its file.
        first_seq: `seq` of the first line that this writer may have put into it.
        fd: Descriptor to append by; -1 where there is none.
        size: Bytes of whole lines.
        room: Bytes until it is full; none without a descriptor.
        synced: Bytes that are known to be on disk.
        synced_seq: `seq` of the first line behind those.
        end_seq: `seq` behind its last line, once it is full.
        due: It has to be synced although nothing was added: an earlier run may have died before its sync.
        suspect: A sync failed: what is not known to be on disk has to be written again before the next one.
        rewritten: Lines between `synced_seq` and `synced` that were written again and are on disk.
        unreadable: How often in turn what lies behind `synced` could not be read back.
    """

    __slots__ = (
        "due",
        "end_seq",
        "fd",
        "first_seq",
        "identity",
        "limit",
        "path",
        "rewritten",
        "room",
        "size",
        "suspect",
        "synced",
        "synced_seq",
        "unreadable",
    )

    def __init__(self, path: Path, fd: int, *, seq: int, size: int, limit: int) -> None:
        self.path = path
        self.fd = fd
        self.first_seq = self.synced_seq = self.end_seq = seq
        self.size = self.synced = size
        self.limit = limit
        self.room = limit - size
        self.due = size > 0
        self.suspect = False
        self.rewritten = 0
        self.unreadable = 0
        self.identity = identity_of(fd)

    @classmethod
    def create(cls, folder: Path, seq: int, *, limit: int) -> Segment:
        """A new segment, named by its first line's `seq`.

        Raises:
            FileExistsError: There is a file of that name.
            OSError: The system refused.
        """
        path = folder / names.segment_name(seq)
        return _held(path, os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600), seq, 0, limit)

    @classmethod
    def take_up(cls, folder: Path, name: int, *, seq: int, size: int, limit: int) -> Segment:
        """Go on with an existing segment behind its whole lines; a torn line that follows them is cut off.

        Raises:
            OSError: The system refused.
        """
        path = folder / names.segment_name(name)
        segment = _held(path, os.open(path, _APPEND), seq, size, limit)
        try:
            os.ftruncate(segment.fd, size)
        except BaseException:
            segment.drop()
            raise
        return segment

    def reopen(self) -> bool:
        """Append by a fresh descriptor; False where the path no longer leads to our file as we left it.

        Raises:
            OSError: The system refused.
        """
        try:
            fd = os.open(self.path, _APPEND)
        except (FileNotFoundError, NotADirectoryError):
            return False
        try:
            here = os.fstat(fd)
            if (here.st_dev, here.st_ino) != self.identity or here.st_size < self.size:
                os.close(fd)
                return False
            if here.st_size > self.size:
                os.ftruncate(fd, self.size)
        except BaseException:
            os.close(fd)
            raise
        self.drop()
        self.fd = fd
        self.room = self.limit - self.size
        return True

    def owns(self, fd: int) -> bool:
        """Whether a descriptor still is this file's: a bot that closes what it doesn't know may have reused it."""
        try:
            return identity_of(fd) == self.identity
        except OSError:
            return False

    def drop(self) -> None:
        """Give the descriptor up. One that has become someone else's is left alone."""
        fd, self.fd, self.room = self.fd, -1, 0
        if fd >= 0 and self.owns(fd):
            with contextlib.suppress(OSError):
                os.close(fd)

    def is_in_place(self) -> bool:
        """Whether the path still leads to this file."""
        try:
            here = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # a disk in trouble says nothing about the file
        return (here.st_dev, here.st_ino) == self.identity


def _held(path: Path, fd: int, seq: int, size: int, limit: int) -> Segment:
    try:
        return Segment(path, fd, seq=seq, size=size, limit=limit)
    except BaseException:
        os.close(fd)
        raise


def identity_of(fd: int) -> tuple[int, int]:
    """What tells a file from all others, whatever its name."""
    here = os.fstat(fd)
    return here.st_dev, here.st_ino
