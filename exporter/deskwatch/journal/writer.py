"""The one writer of a journal folder.

A line is in the kernel's hands when `append` returns, so the death of the process loses nothing; `sync` puts it on
disk. `append` is safe from many threads; a forked child gets an error rather than a share of its parent's `seq`.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path

from deskwatch.errors import JournalError
from deskwatch.journal import line, lock, names, tail

SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment is closed once it is this long."""
MAX_INTERRUPTING = 100
"""Events from signal handlers that wait for the write that they interrupted."""
CLOCK_STEP_NS = 1_000_000_000
"""A clock that steps back further than this is followed; less is taken for jitter and kept increasing."""

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_open_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """Appends framed lines to a folder's segments.

    Attributes:
        run: Id of this start, 16 hex digits.
    """

    def __init__(
        self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, on_fork: Callable[[], None] | None = None
    ) -> None:
        self.folder = folder
        self.run = os.urandom(8).hex()
        self._run = self.run.encode()
        self._segment_bytes = segment_bytes
        self._on_fork = on_fork
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()
        self._torn = False
        self._writing = False
        self._interrupting: deque[bytes] = deque(maxlen=MAX_INTERRUPTING)
        self._fd = -1
        self._lock_fd = -1
        self._size = 0
        self._seq = 1
        self._ts = 0
        self._dirty = False
        self._new_file = False
        self._rolled: list[int] = []

    def open(self) -> Writer:
        """Take the folder's lock, mend a torn last line, and go on with the next `seq`.

        Raises:
            WriterLocked: Another process writes here.
            OSError: The folder can't be made or written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_fd = lock.take(self.folder)
        try:
            end = tail.find_end(self.folder)
            if end is None:
                self._open_segment()
            else:
                self._seq, self._ts, self._size = end.next_seq, end.last_ts, end.size
                self._fd = os.open(self.folder / names.segment_name(end.first_seq), _FLAGS, 0o600)
                os.ftruncate(self._fd, end.size)
        except BaseException:
            self.close()
            raise
        _open_writers.add(self)
        return self

    @property
    def next_seq(self) -> int:
        """The `seq` that the next line gets."""
        return self._seq

    def append(self, body: bytes, *, durable: bool = False) -> int:
        """Write one encoded event (`{"type":…}`) and return its `seq`.

        Args:
            body: The event as JSON, `type` first.
            durable: Also wait until the disk has it.

        Raises:
            JournalError: The writer is closed, or belongs to the parent of this process.
            OSError: The system refused. Nothing of the line stays behind, and its `seq` is not used up.
        """
        with self._lock:
            if self._writing:  # a signal handler, or a finalizer, within the write of this same thread
                self._interrupting.append(body)
                return self._seq + len(self._interrupting)
            self._writing = True
            try:
                seq = self._write(body)
                while self._interrupting:
                    self._write(self._interrupting.popleft())
            finally:
                self._writing = False
        if durable:
            self.sync()
        return seq

    def _write(self, body: bytes) -> int:
        if self._fd < 0:
            raise JournalError("expected an open journal, but it is closed or belongs to the parent process")
        ts = time.time_ns()
        if ts <= self._ts and self._ts - ts < CLOCK_STEP_NS:
            ts = self._ts + 1
        seq = self._seq
        if self._size >= self._segment_bytes:
            try:
                self._roll()
            except OSError:
                if self._torn:
                    raise
                # No descriptor to be had, say: the old segment takes more.
        data = line.frame(body, ts=ts, seq=seq, run=self._run)
        try:
            written = os.write(self._fd, data)
        except OSError:
            self._take_back()
            raise
        if written != len(data):
            self._take_back()
            raise OSError(errno.ENOSPC, f"short write: {written} of {len(data)} bytes", str(self.folder))
        self._size += written
        self._seq = seq + 1
        self._ts = ts
        self._dirty = True
        return seq

    def sync(self) -> None:
        """Put everything appended so far on disk. Cheap when there is nothing new.

        Raises:
            OSError: The disk refused.
        """
        with self._sync_lock:
            with self._lock:
                if not (self._dirty or self._rolled or self._new_file) or self._fd < 0:
                    return
                fd = os.dup(self._fd)
                rolled, self._rolled = self._rolled, []
                new_file, self._new_file = self._new_file, False
                self._dirty = False
            try:
                for one in (*rolled, fd):
                    os.fdatasync(one)
                if new_file:
                    _sync_folder(self.folder)
            except OSError:
                with self._lock:  # not on disk yet: the next call tries all of it again
                    self._rolled = rolled + self._rolled
                    self._new_file = self._new_file or new_file
                    self._dirty = True
                rolled = []
                raise
            finally:
                for one in (*rolled, fd):
                    os.close(one)

    def close(self) -> None:
        """Sync, close and release the lock. Closing twice is fine."""
        try:
            self.sync()
        finally:
            with self._lock:
                fds = (self._fd, self._lock_fd, *self._rolled)
                self._fd = self._lock_fd = -1
                self._rolled = []
            for fd in fds:
                if fd >= 0:
                    os.close(fd)

    def _open_segment(self) -> None:
        self._fd = os.open(self.folder / names.segment_name(self._seq), _FLAGS, 0o600)
        self._size = 0
        self._new_file = True
        self._torn = False

    def _roll(self) -> None:
        full = self._fd
        self._open_segment()
        if full >= 0:
            self._rolled.append(full)

    def _take_back(self) -> None:
        """Remove what a failed write left of its line, so that the next line starts on its own."""
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            self._size = self._segment_bytes  # what is left ends this segment: the next line opens another
            self._torn = True

    def abandon(self) -> None:
        """In a forked child: the journal is the parent's. Closing here leaves the parent's lock alone."""
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()
        self._writing = False
        for fd in (self._fd, self._lock_fd, *self._rolled):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock_fd = -1
        self._rolled = []
        if self._on_fork is not None:
            self._on_fork()


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _abandon_all() -> None:
    for writer in list(_open_writers):
        writer.abandon()
    _open_writers.clear()


os.register_at_fork(after_in_child=_abandon_all)
