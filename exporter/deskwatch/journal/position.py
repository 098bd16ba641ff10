"""Places in a journal, and what was read between two of them."""

from __future__ import annotations

import msgspec


class Position(msgspec.Struct, frozen=True, order=True, gc=False):
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
        lines: Whole lines, without newlines; possibly garbage. None where there are only faults to tell.
        start: Position of the first line.
        position: Position behind the last.
        faults: What was found wrong with the segments since the last batch: `truncated`, `vanished`, `replaced`.
        again: The lines lie in a segment that is not as it was left, and is read again: most were read before.
    """

    bot: str
    writer: str
    lines: list[bytes]
    start: Position
    position: Position
    faults: tuple[str, ...] = ()
    again: bool = False
