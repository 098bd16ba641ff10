"""The one writer of a journal folder.

A line is in the kernel's hands when `append` returns, so the death of the process loses nothing; `sync` puts it on
disk. `append` is safe from many threads; a forked child gets an error rather than a share of its parent's `seq`.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deskwatch.errors import JournalError, NotSynced, WriterLocked
from deskwatch.journal import folders, line, lock, tail
from deskwatch.journal.segment import Segment
from deskwatch.journal.syncing import OnTrouble, Syncing

SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment is closed once it is this long."""
MAX_INTERRUPTING = 100
"""Events from signal handlers that wait for the write that they interrupted."""
CLOCK_STEP_NS = 1_000_000_000
"""A clock that steps back further than this is followed; less is taken for jitter and kept increasing."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
"""The descriptor is as good as before; after any other error it is given up."""
_open_writers: set[Writer] = set()


class Writer:
    """Appends framed lines to a folder's segments.

    Attributes:
        folder: Where the segments lie.
        run: Id of this start, 16 hex digits.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        on_fork: Callable[[], None] | None = None,
        on_trouble: OnTrouble | None = None,
    ) -> None:
        self.folder = folder
        self.run = os.urandom(8).hex()
        self._template = line.template(self.run.encode())
        self._segment_bytes = segment_bytes
        self._on_fork = on_fork
        self._lock = threading.RLock()
        self._writing = False
        self._interrupting: deque[bytes] = deque()
        self._segment: Segment | None = None
        self._refusal: str | None = "it is not open"
        self._held: lock.Lock | None = None
        self._seq = 1
        self._ts = 0
        self._syncing = Syncing(self._lock, on_trouble)

    def open(self) -> Writer:
        """Take the folder's lock, mend a torn last line, and go on with the next `seq`.

        Raises:
            WriterLocked: Another process writes here.
            OSError: The folder can't be made or written.
        """
        self._syncing.note_folders(folders.make(self.folder))
        with lock.no_fork():
            self._held = lock.Lock.take(self.folder)
        try:
            end = tail.find_end(self.folder)
            if end is not None:
                self._ts = end.last_ts
            if end is None:
                self._begin()
            else:
                self._take_up(end)
        except BaseException:
            self.close()
            raise
        self._refusal = None
        _open_writers.add(self)
        return self

    @property
    def next_seq(self) -> int:
        """The `seq` that the next line gets."""
        return self._seq

    @property
    def sync_failures(self) -> int:
        """How often the disk refused to confirm what was written."""
        return self._syncing.failures

    def append(self, body: bytes, *, durable: bool = False) -> int:
        """Write one encoded event (`{"type":…}`) and return its `seq`.

        Args:
            body: The event as JSON, `type` first.
            durable: Also wait until the disk has it.

        Raises:
            NotSynced: The line is in the journal, but the disk did not confirm it yet (`durable` only).
            JournalError: The writer is closed, belongs to the parent of this process, or lost its lock to another.
            OSError: The system refused. Nothing of the line stays behind, and its `seq` is not used up.
        """
        with self._lock:  # not acquire(): Ctrl-C between that and its `try` would leave it locked
            if self._writing:  # a signal handler, or a finalizer, within the write of this same thread
                return self._append_later(body, durable=durable)
            self._writing = True
            length = 0
            try:
                # As `line.frame`, without its calls: this is the way of every event.
                ts = time.time_ns()
                if ts <= self._ts and self._ts - ts < CLOCK_STEP_NS:
                    ts = self._ts + 1
                segment = self._segment
                if segment is None or segment.room <= 0:
                    segment = self._make_room()
                seq = self._seq
                text = self._template % (ts, seq, body[1:])
                data = text[:-1] + b',"crc":%d}\n' % zlib.crc32(text)
                length = len(data)
                if os.write(segment.fd, data) != length:
                    raise _short_write(self.folder)  # noqa: TRY301  its way on is that of any failed write
                segment.size += length
                segment.room -= length
                self._seq = seq + 1
                self._ts = ts
            except BaseException as error:
                self._take_back(error, length)
                raise
            finally:
                self._writing = False
        while self._interrupting:
            with suppress(IndexError):  # another thread may have been quicker
                self.append(self._interrupting.popleft())
        if durable and not self._confirm(seq):
            return self.append(body, durable=True)
        return seq

    def sync(self) -> None:
        """Put everything appended so far on disk; and look whether folder, lock and segment are still there.

        Cheap when there is nothing new. What was removed is made again, so that the next line has a place.

        Raises:
            NotSynced: The disk refused; the next call tries again, by a fresh descriptor.
            OSError: What was removed can't be made again.
            WriterLocked: Another process has taken the lock meanwhile: this writer refuses until it is free.
        """
        with self._syncing.turn():
            if self._held is not None:
                self._keep_lock()
                self._keep_segment()
                self._syncing.put_on_disk(lambda: (self._segment, self._seq))

    def close(self) -> None:
        """Sync, close and release the lock. Closing twice is fine.

        Raises:
            NotSynced: The disk refused; everything is closed all the same.
        """
        try:
            self.sync()
        finally:
            with self._lock:
                self._refusal = "it is closed"
                segment, self._segment = self._segment, None
                held, self._held = self._held, None
            _open_writers.discard(self)
            if segment is not None:
                segment.drop()
            self._syncing.drop_all()
            if held is not None:
                held.release()

    def _append_later(self, body: bytes, *, durable: bool) -> int:
        if len(self._interrupting) >= MAX_INTERRUPTING:
            raise JournalError(f"expected at most {MAX_INTERRUPTING} events within one write, by signal handlers")
        self._interrupting.append(body)
        seq = self._seq + len(self._interrupting)
        if durable:
            raise NotSynced("expected to sync, but this thread's own write was interrupted for it", seq)
        return seq

    def _confirm(self, seq: int) -> bool:
        """Wait until the disk has a line; False where the line's segment was removed meanwhile."""
        try:
            self.sync()
        except NotSynced as error:
            raise NotSynced(str(error), seq) from error
        except (OSError, JournalError) as error:
            raise NotSynced(f"expected the disk to confirm, but: {error}", seq) from error
        return seq >= self._syncing.gone_before

    def _make_room(self) -> Segment:
        """The segment to append to: the same by a fresh descriptor, or a new one."""
        if self._refusal is not None:
            raise JournalError(f"expected an open journal, but {self._refusal}")
        segment = self._segment
        if segment is None:
            return self._begin()
        cant_reopen = False
        if segment.fd < 0:
            try:
                if not segment.reopen():
                    return self._begin_anew()
            except OSError:
                cant_reopen = True
        if segment.room > 0:
            return segment
        try:
            new = self._begin()
        except OSError:
            if cant_reopen:
                raise
            return segment  # no descriptor to be had, say: the old segment takes more
        self._syncing.note_full(segment, new.first_seq)
        return new

    def _begin(self) -> Segment:
        """A new segment. Where a file of its name is there, an earlier try left it, or someone else wrote."""
        try:
            self._segment = Segment.create(self.folder, self._seq, limit=self._segment_bytes)
        except FileExistsError:
            end = tail.find_end(self.folder)
            if end is not None and end.size == 0 and end.first_seq == self._seq:
                return self._take_up(end)
            self._skip_to(end)
            self._segment = Segment.create(self.folder, self._seq, limit=self._segment_bytes)
        self._syncing.note_folders([self.folder])
        return self._segment

    def _begin_anew(self) -> Segment:
        """A new segment in the place of one that was removed or changed by someone else."""
        gone, self._segment = self._segment, None
        if gone is not None:
            self._syncing.note_gone(gone, self._seq)
        self._syncing.note_folders(folders.make(self.folder))
        self._skip_to(tail.find_end(self.folder))
        return self._begin()

    def _take_up(self, end: tail.End) -> Segment:
        """Go on with the newest segment, behind its last whole line."""
        self._skip_to(end)
        self._segment = Segment.take_up(
            self.folder, end.first_seq, seq=self._seq, size=end.size, limit=self._segment_bytes
        )
        return self._segment

    def _skip_to(self, end: tail.End | None) -> None:
        """Never give a `seq` that someone gave before."""
        if end is not None:
            self._seq = max(self._seq, end.next_seq)

    def _take_back(self, error: BaseException, length: int) -> None:
        """Remove what a failed write left of its line, so that the next line starts on its own."""
        segment = self._segment
        if segment is None or segment.fd < 0:
            return
        is_sound = not isinstance(error, OSError) or error.errno in _FULL
        try:
            if not segment.owns(segment.fd):
                is_sound = False
            elif (excess := os.fstat(segment.fd).st_size - segment.size) > 0:
                if excess == length and not isinstance(error, OSError):  # Ctrl-C, right behind the write
                    segment.size += length
                    segment.room -= length
                    self._seq += 1
                    self._ts = max(self._ts, time.time_ns())
                else:
                    os.ftruncate(segment.fd, segment.size)
        except OSError:
            is_sound = False
        if not is_sound:
            segment.drop()  # the next line opens it again, cuts what is left, or begins another

    def _keep_lock(self) -> None:
        """Take the lock again if its file was removed or replaced."""
        if self._held is None or (self._refusal is None and self._held.is_held()):
            return
        was_refused = self._refusal is not None
        with self._lock, lock.no_fork():
            self._syncing.note_folders(folders.make(self.folder))
            self._held.release()
            try:
                self._held = lock.Lock.take(self.folder)
            except WriterLocked:
                self._refusal = "another process took its lock after its file was removed"
                if self._segment is not None:
                    self._segment.room = 0
                raise
            self._refusal = None
            if was_refused:
                self._begin_anew()
        self._syncing.tell("removed", 0, f"the lock of {self.folder} was removed or replaced; it is taken again")

    def _keep_segment(self) -> None:
        """Begin another segment if the one in use was removed, replaced or changed by someone else."""
        segment = self._segment
        if segment is None:
            return
        is_in_place = segment.is_in_place()
        with self._lock:
            if segment is not self._segment or segment.fd < 0 or self._writing:
                return  # the append that is under way, or the next one, sees to it
            if not segment.owns(segment.fd):
                segment.drop()
            elif not is_in_place or os.fstat(segment.fd).st_size != segment.size:
                self._begin_anew()

    def abandon(self) -> None:
        """In a forked child: the journal is the parent's. Closing here leaves the parent's lock alone."""
        self._lock = threading.RLock()
        self._syncing.abandon(self._lock)
        self._writing = False
        self._interrupting.clear()
        self._refusal = "it belongs to the parent process"
        segment, self._segment = self._segment, None
        held, self._held = self._held, None
        if segment is not None:
            segment.drop()
        if held is not None:
            held.release()
        if self._on_fork is not None:
            self._on_fork()


def _short_write(folder: Path) -> OSError:
    return OSError(errno.ENOSPC, "short write", str(folder))


def _abandon_all() -> None:
    for writer in list(_open_writers):
        writer.abandon()
    _open_writers.clear()


os.register_at_fork(after_in_child=_abandon_all)
