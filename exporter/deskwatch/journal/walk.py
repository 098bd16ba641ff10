"""Reading a journal from one place to another, line by line, with each line's place: for whoever looks at it whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deskwatch.errors import ConfigError
from deskwatch.journal import START, Position, WriterFollower, names

READ_BYTES = 128 * 1024
"""Read at once."""


class Line(NamedTuple):
    """A line and where it begins.

    Attributes:
        text: The line without its newline; possibly garbage.
        segment: First `seq` of its segment.
        offset: Bytes of the segment before it.
        whole: False where no newline ends it: a torn line, or a piece of an endless one.
    """

    text: bytes
    segment: int
    offset: int
    whole: bool


class Walk:
    """Iterates over a writer's lines from `start` up to `stop`, by default its end at the time of asking.

    Iterating again, after moving `stop`, goes on where the last ended.
    """

    def __init__(
        self, home: Path, bot: str, writer: str, start: Position = START, stop: Position | None = None
    ) -> None:
        self._follower = WriterFollower(home, bot, writer, start)
        self.bot = bot
        self.writer = writer
        self.stop = stop if stop is not None else self.end()

    @property
    def position(self) -> Position:
        """Behind the last line that was read."""
        return self._follower.position

    def end(self) -> Position:
        """Behind the last whole line of now."""
        return self._follower.end()

    def __iter__(self) -> Iterator[Line]:
        try:
            while self._follower.position < self.stop:
                batch = self._follower.read(READ_BYTES)
                if batch is None:
                    return
                segment, offset = batch.start.segment, batch.start.offset
                if segment > self.stop.segment:
                    self._follower.position = self.stop
                    return
                ends_at = (
                    batch.position.offset if batch.position.segment == segment else -1
                )  # -1: it ends in a torn line
                for text in batch.lines:
                    if segment == self.stop.segment and offset >= self.stop.offset:
                        self._follower.position = Position(segment, offset)
                        return
                    ends = offset + len(text) + 1
                    yield Line(text, segment, offset, ends <= ends_at)
                    offset = ends
        finally:
            self._follower.close()


def select(home: Path, bot: str | None = None, writer: str | None = None) -> list[tuple[str, str]]:
    """The bots and writers of a home that are asked for, None meaning all, in order of name.

    Raises:
        ConfigError: There is no such journal.
    """
    found = [
        (one, each)
        for one in ([names.check_name("bot's name", bot)] if bot is not None else names.bots(home))
        for each in names.writers(home, one)
        if writer is None or each == writer
    ]
    if not found:
        wanted = "/".join((bot or "*", writer or "*"))
        raise ConfigError(
            f"expected a journal of {wanted} under {names.journal_root(home)}, but there is none; give its --home"
        )
    return found
