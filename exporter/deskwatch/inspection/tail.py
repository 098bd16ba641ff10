"""`deskwatch journal tail`: the newest events of all writers together, and those that come."""

from __future__ import annotations

import heapq
import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deskwatch.inspection.shown import Shown, Wanted, for_people, for_scripts, look
from deskwatch.journal import Follower, Position, names
from deskwatch.journal.walk import Line, Walk, select

WAIT_SECONDS = 1.0
"""How long to wait for the kernel's word before looking anyway: a new bot may have appeared."""


def run(
    home: Path,
    bot: str | None,
    writer: str | None,
    wanted: Wanted,
    *,
    count: int = 20,
    follow: bool = False,
    as_json: bool = False,
) -> int:
    """Print the newest events, then, with `follow`, each new one until Ctrl-C.

    Raises:
        ConfigError: There is no such journal.
    """
    show = for_scripts if as_json else for_people
    ends = {each: Walk(home, *each).stop for each in select(home, bot, writer)}
    for shown in newest(home, ends, wanted, count):
        print(show(shown))
    if not follow:
        return 0
    try:
        for shown in following(home, ends, bot, writer, wanted):
            print(show(shown))
    except KeyboardInterrupt:
        pass
    return 0


def newest(home: Path, ends: dict[tuple[str, str], Position], wanted: Wanted, count: int) -> list[Shown]:
    """The last `count` wanted lines before the ends of these journals, oldest first."""
    tails: list[list[Shown]] = []
    for (bot, writer), end in ends.items():
        found: list[Shown] = []
        for line in _backwards(names.writer_folder(home, bot, writer), end):
            if len(found) == count:
                break
            shown = look(line, bot, writer)
            if wanted.accepts(shown):
                found.append(shown)
        tails.append(found[::-1])
    merged = list(heapq.merge(*tails, key=lambda shown: shown.ts or 0))
    return merged[len(merged) - count :] if count < len(merged) else merged


def following(
    home: Path, ends: dict[tuple[str, str], Position], bot: str | None, writer: str | None, wanted: Wanted
) -> Iterator[Shown]:
    """Each wanted line from the ends on, as it comes; endless. The kernel tells when a journal grows."""
    follower = Follower(home, ends).open()
    try:
        while True:
            follower.discover()
            lines = [
                look(line, batch.bot, batch.writer)
                for batch in follower.read()
                if bot in (None, batch.bot) and writer in (None, batch.writer)
                for line in _placed(batch.lines, batch.start)
            ]
            for shown in sorted(lines, key=lambda shown: shown.ts or 0):
                if wanted.accepts(shown):
                    yield shown
            sys.stdout.flush()
            if not lines:
                follower.notifier.wait(WAIT_SECONDS)
    finally:
        follower.close()


def _placed(lines: list[bytes], start: Position) -> Iterator[Line]:
    offset = start.offset
    for text in lines:
        yield Line(text, start.segment, offset, whole=True)
        offset += len(text) + 1


def _backwards(folder: Path, end: Position) -> Iterator[Line]:
    """A writer's lines before a position, the last first. Segments that are removed meanwhile are passed over."""
    for segment in reversed(names.segments(folder)):
        if segment > end.segment:
            continue
        try:
            file = (folder / names.segment_name(segment)).open("rb")
        except FileNotFoundError:
            continue
        with file:
            size = os.fstat(file.fileno()).st_size
            at = min(end.offset, size) if segment == end.segment else size
            if at == 0:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                whole = data[at - 1] == ord("\n")
                at -= whole
                while at >= 0:
                    start = data.rfind(b"\n", 0, at) + 1
                    yield Line(bytes(data[start:at]), segment, start, whole)
                    at, whole = start - 1, True
