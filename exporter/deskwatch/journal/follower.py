"""Following journals as they grow.

`WriterFollower` reads one writer's segments from a position on; `Follower` finds all writers of a home and reads them
in turn. Both return whole lines only and never skip one: what is not yet terminated is read again later.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from deskwatch.journal import names
from deskwatch.journal.line import MAX_LINE_BYTES
from deskwatch.journal.notify import Notifier

logger = logging.getLogger(__name__)

READ_BYTES = 512 * 1024
"""Most that one read of one writer returns."""


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a writer's journal: the segment's first `seq`, and the bytes of it that were read."""

    segment: int = 0
    offset: int = 0


START = Position()
"""Before everything that the journal holds."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that were read together.

    Attributes:
        bot: Whose journal.
        writer: Which writer of it.
        lines: Whole lines, without newlines; possibly garbage.
        start: Position of the first line.
        position: Position behind the last.
    """

    bot: str
    writer: str
    lines: list[bytes]
    start: Position
    position: Position


class WriterFollower:
    """Reads one writer's lines in order."""

    def __init__(self, home: Path, bot: str, writer: str, position: Position = START) -> None:
        self.bot = bot
        self.writer = writer
        self.folder = names.writer_folder(home, bot, writer)
        self.position = position
        self._fd = -1
        self._opened = -1

    def read(self, max_bytes: int = READ_BYTES) -> Batch | None:
        """The next whole lines, or None where there are none yet."""
        while self._at_segment():
            data = self._pread(max_bytes)
            following = None
            if b"\n" not in data:
                following = self._next_segment()
                if following is not None:
                    data = self._pread(max_bytes)  # this segment is complete now: a line seen half may be whole
            if data and (b"\n" in data or following is not None or len(data) >= MAX_LINE_BYTES):
                return self._batch(data)
            if data or following is None:
                return None
            self.position = Position(following, 0)
        return None

    def backlog_bytes(self) -> int:
        """Bytes of the journal that were not read yet."""
        total = 0
        for first_seq in names.segments(self.folder):
            if first_seq < self.position.segment:
                continue
            try:
                size = (self.folder / names.segment_name(first_seq)).stat().st_size
            except FileNotFoundError:
                continue
            total += size - (self.position.offset if first_seq == self.position.segment else 0)
        return max(total, 0)

    def end(self) -> Position:
        """Behind the last whole line that the writer has written by now."""
        existing = names.segments(self.folder)
        if not existing:
            return START
        with (self.folder / names.segment_name(existing[-1])).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            at = size
            while at > 0:
                start = max(0, at - MAX_LINE_BYTES)
                newline = os.pread(file.fileno(), at - start, start).rfind(b"\n")
                if newline >= 0:
                    return Position(existing[-1], start + newline + 1)
                at = start
        return Position(existing[-1], 0)

    def close(self) -> None:
        """Close the segment that is open. The follower can be used again."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = self._opened = -1

    def _pread(self, max_bytes: int) -> bytes:
        return os.pread(self._fd, max(max_bytes, MAX_LINE_BYTES), self.position.offset)

    def _batch(self, data: bytes) -> Batch:
        """The whole lines of what was read; an endless or torn line is passed on as it is, to be counted as invalid."""
        end = data.rfind(b"\n")
        start = self.position
        self.position = Position(start.segment, start.offset + (end + 1 if end >= 0 else len(data)))
        lines = data[:end].split(b"\n") if end >= 0 else [data]
        return Batch(bot=self.bot, writer=self.writer, lines=lines, start=start, position=self.position)

    def _mend_position(self) -> None:
        """After a power loss, or with a journal put back, the position may lie behind the end or within a line."""
        offset = min(self.position.offset, os.fstat(self._fd).st_size)
        start = max(0, offset - MAX_LINE_BYTES)
        before = os.pread(self._fd, offset - start, start)
        if offset == self.position.offset and (offset == 0 or before.endswith(b"\n")):
            return
        mended = start + before.rfind(b"\n") + 1 if b"\n" in before or start == 0 else offset
        logger.warning(
            "the journal is not as it was left, going on at its last whole line",
            extra={"bot": self.bot, "writer": self.writer, "position": self.position.offset, "mended": mended},
        )
        self.position = Position(self.position.segment, mended)

    def _next_segment(self) -> int | None:
        return next((first for first in names.segments(self.folder) if first > self.position.segment), None)

    def _at_segment(self) -> bool:
        """Have the position's segment open; move on to the next where it is gone. False where there is none."""
        while self._opened != self.position.segment or self._fd < 0:
            self.close()
            if self.position.segment > 0:
                try:
                    self._fd = os.open(
                        self.folder / names.segment_name(self.position.segment), os.O_RDONLY | os.O_CLOEXEC
                    )
                    self._opened = self.position.segment
                    self._mend_position()
                    return True
                except FileNotFoundError:
                    pass
            following = self._next_segment()
            if following is None:
                return False
            self.position = Position(following, 0)
        return True


class Follower:
    """Reads every writer of a home, finding new bots and writers as they appear."""

    def __init__(self, home: Path, positions: Mapping[tuple[str, str], Position] | None = None) -> None:
        self._home = home
        self._start = dict(positions or {})
        self._writers: dict[tuple[str, str], WriterFollower] = {}
        self._turn = 0
        self.unreadable: set[tuple[str, str]] = set()
        """Writers whose journal could not be read at the last try."""
        self.notifier = Notifier()

    def open(self) -> Follower:
        """Start watching the home's folders."""
        names.journal_root(self._home).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.notifier.open()
        self.notifier.watch(names.journal_root(self._home))
        return self

    def discover(self) -> None:
        """Take in bots and writers that appeared since the last call."""
        self.notifier.watch(names.journal_root(self._home))
        for bot in names.bots(self._home):
            self.notifier.watch(names.journal_root(self._home) / bot)  # before listing it: nothing is missed
            for writer in names.writers(self._home, bot):
                if (bot, writer) not in self._writers:
                    position = self._start.get((bot, writer), START)
                    follower = WriterFollower(self._home, bot, writer, position)
                    self.notifier.watch(follower.folder)
                    self._writers[bot, writer] = follower

    def read(self, max_bytes: int = READ_BYTES) -> Iterator[Batch]:
        """The next lines of each writer that has any; a writer is read when its turn comes."""
        followers = list(self._writers.values())
        for _ in followers:
            self._turn += 1  # a reader that stops early goes on, next time, where it stopped: no writer starves
            follower = followers[self._turn % len(followers)]
            try:
                batch = follower.read(max_bytes)
            except OSError as error:  # one journal that can't be read holds up no other
                self._report(follower, error)
                continue
            self.unreadable.discard((follower.bot, follower.writer))
            if batch is not None:
                yield batch

    def positions(self) -> dict[tuple[str, str], Position]:
        """Where each writer was read to."""
        return {key: follower.position for key, follower in self._writers.items()}

    def rewind(self, bot: str, writer: str, position: Position) -> None:
        """Read a writer again from an earlier position."""
        self._writers[bot, writer].position = position

    def ends(self) -> dict[tuple[str, str], Position]:
        """Behind the last whole line of each writer, as of now."""
        found = {}
        for key, follower in self._writers.items():
            try:
                found[key] = follower.end()
            except OSError as error:
                self._report(follower, error)
        return found

    def backlog_bytes(self) -> int:
        """Bytes that were not read yet, over all writers. May be asked from another thread."""
        return sum(follower.backlog_bytes() for follower in list(self._writers.values()))

    def _report(self, follower: WriterFollower, error: OSError) -> None:
        key = (follower.bot, follower.writer)
        if key not in self.unreadable:
            self.unreadable.add(key)
            logger.error("a journal can't be read", extra={"folder": str(follower.folder), "error": str(error)})

    def close(self) -> None:
        """Close all files."""
        for follower in self._writers.values():
            follower.close()
        self.notifier.close()
