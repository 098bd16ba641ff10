"""Which segments may go: whole ones, oldest first, once everybody who needs them has passed them.

A writer's newest segment always stays. Beyond the hard budget also those go that a sink still needs; whoever removes
them counts that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from deskwatch.journal import names
from deskwatch.journal.position import START, Position

DAY_SECONDS = 86_400.0
GIB = 1024**3

Key = tuple[str, str]
"""Bot and writer."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept of one bot's journals."""

    seconds: float
    """Segments that nobody needs go when their last line is older than this."""
    bytes: int
    """Beyond this size, segments that nobody needs go whatever their age."""
    budget_bytes: int
    """Beyond this size, segments go even though a sink still needs them."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept, for each bot by itself: of its own writers, and of its control journal apart."""

    bots: Keep = Keep(seconds=30 * DAY_SECONDS, bytes=2 * GIB, budget_bytes=8 * GIB)
    control: Keep = Keep(seconds=400 * DAY_SECONDS, bytes=GIB // 4, budget_bytes=GIB // 2)

    def of(self, writer: str) -> Keep:
        """The limits that a writer's segments fall under."""
        return self.control if writer == names.CONTROL else self.bots


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment on disk."""

    bot: str
    writer: str
    first_seq: int
    bytes: int
    modified: float
    """Unix time of its last line."""
    is_newest: bool
    """Whether the writer may still append to it."""

    @property
    def key(self) -> Key:
        """Bot and writer."""
        return self.bot, self.writer

    def is_behind(self, positions: Mapping[Key, Position]) -> bool:
        """Whether these positions have left it: the next segment was begun."""
        return positions.get(self.key, START).segment > self.first_seq

    def path(self, home: Path) -> Path:
        """Its file."""
        return names.writer_folder(home, self.bot, self.writer) / names.segment_name(self.first_seq)


def list_segments(home: Path) -> list[Segment]:
    """Every segment of a home, by bot, writer and age. One that goes meanwhile is left out."""
    found = []
    for bot in names.bots(home):
        for writer in names.writers(home, bot):
            folder = names.writer_folder(home, bot, writer)
            all_of_writer = names.segments(folder)
            for first_seq in all_of_writer:
                try:
                    stat = (folder / names.segment_name(first_seq)).stat()
                except FileNotFoundError:
                    continue
                found.append(
                    Segment(
                        bot=bot,
                        writer=writer,
                        first_seq=first_seq,
                        bytes=stat.st_size,
                        modified=stat.st_mtime,
                        is_newest=first_seq == all_of_writer[-1],
                    )
                )
    return found


def expendable(
    segments: Sequence[Segment],
    keep: Keep,
    *,
    needed: Mapping[Key, Position],
    folded: Mapping[Key, Position],
    now: float,
) -> list[Segment]:
    """The segments of one bot that are to go, in the order in which they go.

    Args:
        segments: All segments that share the limits, each writer's oldest first.
        keep: The limits.
        needed: Where the slowest consumer of each writer is, as it is known on disk. What lies behind nobody needs.
        folded: Where the feed is. Nothing ever goes that it has not folded in.
        now: Unix time.
    """
    queues: dict[Key, list[Segment]] = {}
    for segment in segments:
        if not segment.is_newest:
            queues.setdefault(segment.key, []).append(segment)
    taken: list[Segment] = []
    size = sum(segment.bytes for segment in segments)

    def take_while(excess: Callable[[Segment], bool], positions: Mapping[Key, Position]) -> None:
        nonlocal size
        while heads := [queue[0] for queue in queues.values() if queue and queue[0].is_behind(positions)]:
            oldest = min(heads, key=lambda one: one.modified)
            if not excess(oldest):
                return
            queues[oldest.key].pop(0)
            taken.append(oldest)
            size -= oldest.bytes

    take_while(lambda one: one.modified < now - keep.seconds, needed)
    take_while(lambda _: size > keep.bytes, needed)
    take_while(lambda _: size > keep.budget_bytes, folded)
    return taken


def remove(home: Path, segment: Segment) -> None:
    """Delete a segment, and put that on disk.

    Raises:
        OSError: The system refused.
    """
    path = segment.path(home)
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
