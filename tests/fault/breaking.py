"""Journals in memory, and ways to break them: what disks, power losses and people do to files."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from deskwatch.encoding import encode
from deskwatch.events import LogRecorded
from deskwatch.journal import Writer, names

Segments = dict[int, bytes]
"""A writer's segments by their first `seq`."""
Break = Callable[[random.Random, Segments, list[int]], None]
"""Breaks some of the segments that are named; all of it in place."""


def written(folder: Path, count: int, *, runs: int, segment_bytes: int) -> Segments:
    """What a real writer writes: `count` events in small segments, over several starts."""
    for run in range(runs):
        writer = Writer(folder, segment_bytes=segment_bytes).open()
        for number in range(count // runs):
            message = f"event {number} of start {run} {'.' * (number * 7 % 50)}"
            writer.append(encode(LogRecorded(message=message, levelname="INFO", name="bot")))
        writer.close()
    return {first: (folder / names.segment_name(first)).read_bytes() for first in names.segments(folder)}


def lines_in(segments: Segments) -> list[bytes]:
    """What a reader takes for lines. What the newest segment holds behind its last newline is none yet."""
    lines: list[bytes] = []
    for first in sorted(segments):
        *whole, torn = segments[first].split(b"\n")
        lines += whole
        if torn and first != max(segments):
            lines.append(torn)
    return lines


def put(folder: Path, segments: Segments, random: random.Random | None = None) -> None:
    """Make a folder hold exactly these segments: in place, or (as `random` has it) as new files."""
    for first in names.segments(folder):
        if first not in segments:
            (folder / names.segment_name(first)).unlink()
    for first, data in segments.items():
        path = folder / names.segment_name(first)
        if path.exists() and path.read_bytes() == data:
            continue
        if random is not None and random.random() < 0.5:
            path.unlink(missing_ok=True)
        path.write_bytes(data)  # in place if it is there: the file is cut to nothing first, and then written


def _some(random: random.Random, segments: Segments, among: list[int]) -> int:
    return random.choice([first for first in among if segments.get(first)])


def _range(random: random.Random, data: bytes, longest: int) -> tuple[int, int]:
    at = random.randrange(len(data))
    return at, min(len(data), at + random.randint(1, longest))


def flip_bits(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    data = bytearray(segments[first])
    for _ in range(random.choice((1, 1, 1, 2, 8))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    segments[first] = bytes(data)


def zero(random: random.Random, segments: Segments, among: list[int]) -> None:
    """Blocks that never reached the disk read as zeros."""
    first = _some(random, segments, among)
    data = segments[first]
    start, end = _range(random, data, 512)
    segments[first] = data[:start] + bytes(end - start) + data[end:]


def truncate(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    segments[first] = segments[first][: random.randrange(len(segments[first]))]


def swap_bytes(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    data = bytearray(segments[first])
    one, other = random.randrange(len(data)), random.randrange(len(data))
    data[one], data[other] = data[other], data[one]
    segments[first] = bytes(data)


def swap_lines(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    lines = segments[first].splitlines(keepends=True)
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    segments[first] = b"".join(lines)


def swap_segments(random: random.Random, segments: Segments, among: list[int]) -> None:
    one, other = _some(random, segments, among), _some(random, segments, among)
    segments[one], segments[other] = segments[other], segments[one]


def delete_bytes(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    data = segments[first]
    start, end = _range(random, data, random.choice((1, 30, 300)))
    segments[first] = data[:start] + data[end:]


def delete_lines(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    lines = segments[first].splitlines(keepends=True)
    at = random.randrange(len(lines))
    del lines[at : at + random.randint(1, 4)]
    segments[first] = b"".join(lines)


def delete_segment(random: random.Random, segments: Segments, among: list[int]) -> None:
    del segments[_some(random, segments, among)]


def duplicate_segment(random: random.Random, segments: Segments, among: list[int]) -> None:
    data = segments[_some(random, segments, among)]
    segments[random.choice(sorted(set(range(min(among), max(among) + 50)) - set(segments)))] = data


def duplicate_lines(random: random.Random, segments: Segments, among: list[int]) -> None:
    source, first = _some(random, segments, among), _some(random, segments, among)
    copied = random.choice(segments[source].splitlines(keepends=True))
    lines = segments[first].splitlines(keepends=True)
    lines.insert(random.randint(0, len(lines)), copied)
    segments[first] = b"".join(lines)


def insert_garbage(random: random.Random, segments: Segments, among: list[int]) -> None:
    first = _some(random, segments, among)
    data = segments[first]
    at = random.randint(0, len(data))
    garbage = random.choice((random.randbytes(random.randint(1, 200)), b"\n", b"\n\n", b"{}\n", b'{"ts":', b"\x00" * 9))
    segments[first] = data[:at] + garbage + data[at:]


ANY: tuple[Break, ...] = (
    flip_bits,
    zero,
    truncate,
    swap_bytes,
    swap_lines,
    swap_segments,
    delete_bytes,
    delete_lines,
    delete_segment,
    duplicate_segment,
    duplicate_lines,
    insert_garbage,
)


def cut_tail(random: random.Random, segments: Segments) -> None:
    """What a power loss leaves of a journal: its beginning, mostly up to some line's end."""
    data = b"".join(segments[first] for first in sorted(segments))
    keep = random.randrange(len(data))
    if random.random() < 0.7:
        keep = data.rfind(b"\n", 0, keep) + 1
    for first in sorted(segments):
        kept = segments[first][:keep]
        keep -= len(kept)
        if kept or (keep == 0 and random.random() < 0.2):
            segments[first] = kept
        else:
            del segments[first]
