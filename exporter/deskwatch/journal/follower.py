"""Following all journals of a home: finding writers as they appear, and reading them in turn."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from deskwatch.journal import names
from deskwatch.journal.notify import Notifier
from deskwatch.journal.position import START, Batch, Position
from deskwatch.journal.writer_follower import READ_BYTES, Memory, WriterFollower

logger = logging.getLogger(__name__)


class Follower:
    """Reads every writer of a home, finding new bots and writers as they appear.

    Args:
        home: Whose journals.
        positions: Where to go on, for each bot and writer.
        memory: Who remembers what was read; says how to go on where a journal is not as it was left.
    """

    def __init__(
        self,
        home: Path,
        positions: Mapping[tuple[str, str], Position] | None = None,
        *,
        memory: Memory | None = None,
    ) -> None:
        self._home = home
        self._memory = memory
        self._start = dict(positions or {})
        self._writers: dict[tuple[str, str], WriterFollower] = {}
        self._by_folder: dict[Path, WriterFollower] = {}
        self._due: dict[WriterFollower, None] = {}  # in the order in which they are to be read
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
                    follower = WriterFollower(self._home, bot, writer, position, self._memory)
                    self.notifier.watch(follower.folder)
                    self._writers[bot, writer] = follower
                    self._by_folder[follower.folder] = follower
                    self._due[follower] = None

    def read(self, max_bytes: int = READ_BYTES) -> Iterator[Batch]:
        """The next lines of each writer that has any; a writer is read when its turn comes."""
        followers = list(self._writers.values())
        for _ in followers:
            self._turn += 1  # a reader that stops early goes on, next time, where it stopped: no writer starves
            follower = followers[self._turn % len(followers)]
            batch = self._read_one(follower, max_bytes)
            if batch is not None:
                yield batch

    def read_changed(self, max_bytes: int = READ_BYTES) -> Iterator[Batch]:
        """As `read`, but only of writers whose folder changed as far as the kernel told, or that may have more.

        With a hundred bots a look at each of them, at each event of one, would cost more than all the rest. What the
        kernel does not tell (a segment that is gone, say) is left to `read`. All are read where there is no telling.
        """
        if self.notifier.fileno() < 0:
            yield from self.read(max_bytes)
            return
        changed, self.notifier.changed = self.notifier.changed, set()
        for folder in changed:
            if folder in self._by_folder:
                self._due[self._by_folder[folder]] = None
        for follower in list(self._due):
            del self._due[follower]
            batch = self._read_one(follower, max_bytes)
            if batch is not None:
                yield batch

    def _read_one(self, follower: WriterFollower, max_bytes: int) -> Batch | None:
        try:
            batch = follower.read(max_bytes)
        except OSError as error:  # one journal that can't be read holds up no other
            self._report(follower, error)
            return None
        self.unreadable.discard((follower.bot, follower.writer))
        if batch is not None:
            self._due[follower] = None  # there may be more
        return batch

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
