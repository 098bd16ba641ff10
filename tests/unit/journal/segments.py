"""Segments made by hand, and reading all of them."""

from __future__ import annotations

from pathlib import Path

from deskwatch.journal import WriterFollower, names
from tests.lines import RUN

LINES = [b'{"type":"x","ts":%d,"seq":%d,"run":"%b"}' % (seq, seq, RUN) for seq in range(1, 10)]
"""Nine lines of equal length."""
LENGTH = len(LINES[0]) + 1


def path(folder: Path, first_seq: int) -> Path:
    return folder / names.segment_name(first_seq)


def put(folder: Path, first_seq: int, *lines: bytes, mode: str = "ab") -> None:
    with path(folder, first_seq).open(mode) as file:
        file.write(b"".join(line + b"\n" for line in lines))


def read(follower: WriterFollower) -> tuple[list[bytes], list[str]]:
    """All lines that can be read now, and all faults."""
    lines: list[bytes] = []
    faults: list[str] = []
    while (batch := follower.read()) is not None:
        lines += batch.lines
        faults += batch.faults
        assert batch.position == follower.position
    return lines, faults
