"""Somebody who remembers lines, as the sidecar's projections do."""

from __future__ import annotations

from collections.abc import Iterable

from deskwatch.journal import read_envelope


class Remembering:
    """A `Memory` of one writer's lines."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.lines = set(lines)

    def remember(self, lines: Iterable[bytes]) -> None:
        self.lines |= set(lines)

    def knows(self, bot: str, writer: str, line: bytes) -> bool:
        return line in self.lines

    def next_seq(self, bot: str, writer: str) -> int:
        return 1 + max((read_envelope(line).seq or 0 for line in self.lines), default=0)
