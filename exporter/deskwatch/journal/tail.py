"""Reading a journal from its end: where a writer left off, and what was said last."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import line, names


class End(msgspec.Struct, frozen=True, kw_only=True):
    """Where a writer goes on."""

    first_seq: int
    """Name of the newest segment."""
    size: int
    """Bytes of it that are whole lines; what lies behind is a torn line."""
    next_seq: int
    last_ts: int


def _lines_backwards(data: bytes | mmap.mmap) -> Iterator[bytes]:
    """Whole lines of a segment, the last first. What follows the last newline is not a whole line."""
    end = data.rfind(b"\n")
    while end >= 0:
        start = data.rfind(b"\n", 0, end) + 1
        yield bytes(data[start:end])
        end = start - 1


def find_end(folder: Path) -> End | None:
    """Where the writer of this folder left off; None where it has written nothing yet.

    Lines behind the last readable one count as one `seq` each, so that a `seq` is never given twice.
    """
    last = None
    for first_seq in reversed(names.segments(folder)):
        try:
            data = (folder / names.segment_name(first_seq)).read_bytes()
        except FileNotFoundError:
            continue  # retention was quicker
        size = data.rfind(b"\n") + 1
        if last is None:
            last = (first_seq, size)
        unreadable = 0
        for text in _lines_backwards(data):
            try:
                envelope = line.read_envelope(text)
            except InvalidLine:
                unreadable += 1
                continue
            if envelope.seq is not None:
                return End(first_seq=last[0], size=last[1], next_seq=envelope.seq + 1 + unreadable, last_ts=envelope.ts)
            unreadable += 1
        if size == 0 and first_seq > 1:
            continue  # opened and never written: the segment before it tells
        return End(first_seq=last[0], size=last[1], next_seq=first_seq + unreadable, last_ts=0)
    return None if last is None else End(first_seq=last[0], size=last[1], next_seq=last[0], last_ts=0)


def last_line(folder: Path) -> bytes | None:
    """The last whole line of a writer, readable or not, without its newline; None where there is none."""
    for first_seq in reversed(names.segments(folder)):
        try:
            file = (folder / names.segment_name(first_seq)).open("rb")
        except FileNotFoundError:
            continue
        with file:
            size = os.fstat(file.fileno()).st_size
            length = min(size, line.MAX_LINE_BYTES)
            while length:
                data = os.pread(file.fileno(), length, size - length)
                end = data.rfind(b"\n")
                start = data.rfind(b"\n", 0, max(end, 0)) + 1
                if end >= 0 and (start > 0 or length == size):
                    return data[start:end]
                if length == size:
                    break
                length = min(size, 2 * length)  # garbage without a newline
    return None


def lines_with(folder: Path, needle: bytes) -> Iterator[bytes]:
    """Lines of a writer that contain `needle`, the newest first, without their newlines.

    Segments that retention removes meanwhile are passed over: it removes the oldest first.
    """
    for first_seq in reversed(names.segments(folder)):
        try:
            file = (folder / names.segment_name(first_seq)).open("rb")
        except FileNotFoundError:
            continue
        with file:
            if os.fstat(file.fileno()).st_size == 0:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                at = data.rfind(needle)
                while at >= 0:
                    start = data.rfind(b"\n", 0, at) + 1
                    end = data.find(b"\n", at)
                    if end >= 0:
                        yield bytes(data[start:end])
                    at = data.rfind(needle, 0, start)
