"""Putting a writer's segments on disk, and what to do when the disk refuses.

A failed fsync is never repeated on its descriptor: the kernel has told its error once and may have marked the pages
clean, so that the next fsync would say yes to what is not on disk. The descriptor is given up in place of that; a fresh
one reads back what is not known to be on disk, each line is checked, the same bytes are written again to the same place
and synced. Until that works the next call tries it again, each time by another descriptor.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deskwatch.errors import InvalidLine, NotSynced
from deskwatch.journal import folders
from deskwatch.journal.line import read_envelope
from deskwatch.journal.segment import Segment

OnTrouble = Callable[[str, int, str], None]
"""Told of trouble: its reason (`unsynced`, `corrupt`, `removed`, `locked`), how many lines were lost by it, and what
happened, in a sentence."""

PIECE_BYTES = 256 * 1024
"""How much is read back, written again and synced at a time. At least a line's limit."""
MAX_UNREADABLE = 3
"""After so many tries to read a piece back it is given up."""
MAX_OPEN = 4
"""Full segments that wait for their sync with their descriptor; the others are opened, and written, again."""


class Syncing:
    """What of one writer is not known to be on disk.

    Attributes:
        failures: How often the disk refused.
        gone_before: Lines before this `seq` may have been removed with their segment.
    """

    def __init__(self, lock: threading.RLock, on_trouble: OnTrouble | None) -> None:
        self._lock = lock
        self._on_trouble = on_trouble
        self._turn = threading.RLock()
        self._is_at_work = False
        self._full: list[Segment] = []
        self._gone: list[Segment] = []
        self._folders: dict[Path, None] = {}
        self._held = -1
        self.failures = 0
        self.gone_before = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Only one thread at a time syncs.

        Raises:
            NotSynced: A signal handler interrupts the sync of its own thread.
        """
        with self._turn:
            if self._is_at_work:
                raise NotSynced("expected to sync, but a sync of this thread was interrupted for it")
            self._is_at_work = True
            try:
                yield
            finally:
                self._is_at_work = False

    def note_folders(self, changed: list[Path]) -> None:
        """Folders that got a new entry."""
        self._folders.update(dict.fromkeys(changed))

    def note_full(self, segment: Segment, end_seq: int) -> None:
        """A segment that nothing more is appended to. Called with the writer's lock held."""
        segment.end_seq = end_seq
        if segment.size == segment.synced and not segment.due:
            segment.drop()
            return
        self._full.append(segment)
        if segment.fd < 0 or len(self._full) > MAX_OPEN:
            segment.suspect = True
            segment.drop()

    def note_gone(self, segment: Segment, end_seq: int) -> None:
        """A segment that was removed, replaced or cut under its writer. Called with the writer's lock held."""
        segment.end_seq = end_seq
        segment.drop()
        self._gone.append(segment)

    def put_on_disk(self, current: Callable[[], tuple[Segment | None, int]]) -> None:
        """Sync whatever is not known to be on disk.

        Args:
            current: The segment that is appended to, and the next `seq`; asked with the writer's lock held.

        Raises:
            NotSynced: The disk refused.
        """
        refusals: list[str] = []
        self._count_gone()
        with self._lock:
            full = list(self._full)
            segment, next_seq = current()
            due = [(one, one.size, one.end_seq) for one in full]
            if segment is not None:
                due.append((segment, segment.size, next_seq))
        for one, size, end_seq in due:
            try:
                if one.suspect or one.due or size > one.synced:
                    self._sync_segment(one, size, end_seq)
            except OSError as error:
                refusals.append(self._tell(f"{one.path.name} is not known to be on disk", error))
                continue
            if one in full:
                with self._lock:
                    self._full.remove(one)
                    one.drop()
        for folder in list(self._folders):
            try:
                folders.sync(folder)
            except OSError as error:
                refusals.append(self._tell(f"new files of {folder} are not known to be on disk", error))
            else:
                self._folders.pop(folder, None)
        if refusals:
            raise NotSynced(f"expected the disk to confirm, but {refusals[0]}; it is tried again")

    def drop_all(self) -> None:
        """Give every descriptor up."""
        with self._lock:
            for segment in self._full:
                segment.drop()
            self._full.clear()

    def abandon(self, lock: threading.RLock) -> None:
        """In a forked child: everything is the parent's, who goes on with it."""
        self._lock = lock
        self._turn = threading.RLock()
        self._is_at_work = False
        if self._held >= 0:
            with suppress(OSError):
                os.close(self._held)
        self._held = -1
        self._gone.clear()
        self._folders.clear()
        self.drop_all()

    def tell(self, reason: str, events: int, message: str) -> None:
        """Say what happened to whoever listens."""
        if self._on_trouble is not None:
            self._on_trouble(reason, events, message)

    def _tell(self, what: str, error: OSError) -> str:
        self.failures += 1
        message = f"{what}: {error}"
        self.tell("unsynced", 0, message)
        return message

    def _sync_segment(self, segment: Segment, size: int, end_seq: int) -> None:
        if not segment.suspect:
            with self._lock:
                segment.suspect = segment.fd < 0 or not segment.owns(segment.fd)
                self._held = -1 if segment.suspect else os.dup(segment.fd)
        if not segment.suspect:
            try:
                os.fdatasync(self._held)
            except OSError as error:
                segment.suspect = True
                self._tell(f"{segment.path.name} is not known to be on disk and is written again", error)
            else:
                self._confirm(segment, size, end_seq)
                return
            finally:
                held, self._held = self._held, -1
                os.close(held)
        self._renew(segment)
        self._write_again(segment, size)
        lost = end_seq - segment.synced_seq - segment.rewritten
        self._confirm(segment, size, end_seq)
        segment.suspect = False
        self._renew(segment)  # the one in use may have an error of before still to tell
        if lost > 0:
            self.tell(
                "corrupt", lost, f"{lost} lines of {segment.path.name} could not be read back after a failed sync"
            )

    @staticmethod
    def _confirm(segment: Segment, size: int, end_seq: int) -> None:
        segment.synced, segment.synced_seq = size, end_seq
        segment.rewritten = 0
        segment.due = False

    def _renew(self, segment: Segment) -> None:
        """Give a segment's descriptor up; where one is in use, appending goes on by a fresh one."""
        with self._lock:
            if segment.fd < 0:
                return
            try:
                if segment not in self._full and segment.reopen():
                    return
            except OSError:
                pass  # the next append tries it
            segment.drop()

    def _write_again(self, segment: Segment, size: int) -> None:
        try:
            fd = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return  # nothing of it is there: all of it counts as lost
        try:
            if not segment.owns(fd):
                return
            while segment.synced < size:
                length, lines = _read_back(fd, segment, size)
                for at, text in lines:
                    _write_all(fd, text, at)
                os.fdatasync(fd)
                segment.synced += length
                segment.rewritten += sum(text.count(b"\n") for _, text in lines)
        finally:
            os.close(fd)

    def _count_gone(self) -> None:
        while self._gone:
            segment = self._gone.pop(0)
            missing = segment.end_seq - segment.first_seq - _still_there(segment)
            self.gone_before = max(self.gone_before, segment.end_seq if missing else 0)
            told = f"{segment.path} was removed, replaced or changed under its writer"
            self.tell("removed", missing, f"{told}: {missing} lines of this run are gone")


def _read_back(fd: int, segment: Segment, size: int) -> tuple[int, list[tuple[int, bytes]]]:
    """The next piece that is not known to be on disk: how many bytes it takes, and its sound stretches.

    Raises:
        OSError: It can't be read. After MAX_UNREADABLE tries it is passed over.
    """
    wanted = min(PIECE_BYTES, size - segment.synced)
    try:
        data = os.pread(fd, wanted, segment.synced)
    except OSError:
        segment.unreadable += 1
        if segment.unreadable < MAX_UNREADABLE:
            raise
        data = b""
    segment.unreadable = 0
    length = data.rfind(b"\n") + 1
    if length == 0:
        return wanted, []
    at = segment.synced
    sound: list[tuple[int, bytes]] = []
    for text in data[:length].splitlines(keepends=True):
        if _is_sound(text[:-1], segment):
            if sound and sound[-1][0] + len(sound[-1][1]) == at:
                sound[-1] = (sound[-1][0], sound[-1][1] + text)
            else:
                sound.append((at, text))
        at += len(text)
    return length, sound


def _is_sound(text: bytes, segment: Segment) -> bool:
    try:
        seq = read_envelope(text).seq
    except InvalidLine:
        return False
    return seq is not None and seq >= segment.synced_seq


def _still_there(segment: Segment) -> int:
    """How many of a segment's lines its path leads to, whatever happened to it."""
    found = set()
    with suppress(OSError), segment.path.open("rb") as file:
        for text in file:
            with suppress(InvalidLine):
                seq = read_envelope(text.rstrip(b"\n")).seq
                if seq is not None and segment.first_seq <= seq < segment.end_seq:
                    found.add(seq)
    return len(found)


def _write_all(fd: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(fd, data, at)
        data, at = data[written:], at + written
