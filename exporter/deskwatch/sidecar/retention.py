"""Retention: removes segments that nobody needs, after folding them into the remembered base."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Self

from deskwatch import base as base_module
from deskwatch.base import Base, Key
from deskwatch.journal import START, Batch, Position, WriterFollower, names, retention
from deskwatch.journal.retention import Limits, Segment
from deskwatch.projections import Projections
from deskwatch.sidecar.feed import Feed
from deskwatch.sinks.cursor import Cursor

logger = logging.getLogger(__name__)

RUN_SECONDS = 60.0
FOLD_BYTES = 128 * 1024
"""Folded at once: a few milliseconds."""
REST_FACTOR = 4.0
"""How much longer than it folds the work rests, so that it takes a fifth of a core at most."""


class Retention:
    """Keeps the journals within their limits. An async context manager.

    Order matters: what a segment holds is in the base, on disk, before the segment goes. A crash in between leaves
    segments that the base holds already; they are removed without being folded again.

    Attributes:
        base: What was removed so far.
        sizes: (bot, writer) → bytes of its journal, as of the last run.
        failures: Runs that failed.
    """

    def __init__(
        self,
        home: Path,
        limits: Limits,
        feed: Feed,
        sinks: Iterable[str],
    ) -> None:
        self._home = home
        self._limits = limits
        self._feed = feed
        self._sinks = set(sinks)
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self.base = Base()
        self.sizes: dict[Key, int] = {}
        self.failures = 0

    async def __aenter__(self) -> Self:
        self.base = await asyncio.to_thread(base_module.load, self._home)
        self._task = asyncio.create_task(self._run_regularly(), name="retention")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop within the time that one small fold takes. A segment that was half folded is folded again next time."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run_regularly(self) -> None:
        await self._feed.caught_up.wait()
        while True:
            try:
                await asyncio.to_thread(self.run, time.time())
            except Exception:  # the next run may succeed; the journals are whole
                self.failures += 1
                logger.exception("retention failed, trying again")
            await asyncio.sleep(RUN_SECONDS)

    def run(self, now: float) -> int:
        """Remove what is to go by now; how many segments that was.

        Raises:
            OSError: The disk refused; what was not removed is still in the journal.
        """
        segments = self._without_leftovers(retention.list_segments(self._home))
        sinks = self._cursors()
        folded = dict(self._feed.positions)
        removed = 0
        for _, group in groupby(sorted(segments, key=_limited_with), key=_limited_with):
            alike = list(group)
            needed = {one.key: self._slowest(one.key, sinks) for one in alike}
            keep = self._limits.of(alike[0].writer)
            for segment in retention.expendable(alike, keep, needed=needed, folded=folded, now=now):
                if self._stop.is_set() or not self._retire(segment, sinks):
                    return removed
                removed += 1
        self._measure()
        return removed

    def _without_leftovers(self, segments: list[Segment]) -> list[Segment]:
        """Remove what the base holds already, from before a crash; the others.

        A journal that was begun anew has nothing behind the base's position: none of it is in the base.
        """
        ends = {one.key: one.first_seq for one in segments if one.is_newest}
        for key, position in list(self.base.positions.items()):
            if key in ends and ends[key] < position.segment:
                logger.warning("a journal was begun anew", extra={"bot": key[0], "writer": key[1]})
                del self.base.positions[key]
                self.base.is_outdated = True
        if self.base.is_outdated:  # or else, once that journal has grown as long, its first segments seem left over
            self.base.save(self._home)
        kept = []
        for segment in segments:
            if segment.is_newest or not segment.is_behind(self.base.positions):
                kept.append(segment)
            else:
                retention.remove(self._home, segment)
        return kept

    def _cursors(self) -> dict[str, Cursor]:
        """How far each sink is, as its cursor on disk says; also sinks that are not configured at present."""
        folder = self._home / "sinks"
        known = {path.stem for path in folder.glob("*.json") if not path.name.startswith(".")}
        found = {name: Cursor(self._home, name) for name in self._sinks | known}
        for cursor in found.values():
            cursor.load()
        return found

    def _slowest(self, key: Key, sinks: Mapping[str, Cursor]) -> Position:
        positions = (self._feed.saved, *(cursor.positions for cursor in sinks.values()))
        return min(each.get(key, START) for each in positions)

    def _retire(self, segment: Segment, sinks: Mapping[str, Cursor]) -> bool:
        """Fold a segment into the base, then remove it; False if the work was stopped before that."""
        projections = Projections(self._feed.projections.max_series)
        is_whole = self.base.restore(projections)
        undelivered = dict.fromkeys(
            (name for name, cursor in sinks.items() if not segment.is_behind(cursor.positions)), 0
        )
        for batch in self._read(segment):
            began = time.monotonic()
            projections.apply_batch(batch)
            for name in undelivered:
                undelivered[name] += _undelivered(batch, sinks[name])
            if self._stop.wait(REST_FACTOR * (time.monotonic() - began)):
                return False
        later = [one for one in names.segments(segment.path(self._home).parent) if one > segment.first_seq]
        if not later:
            return False  # someone else removes, too: the newest stays
        base = self.base.with_more(projections, segment.key, Position(later[0], 0), is_whole=is_whole)
        for sink, lines in undelivered.items():
            if lines:
                key = (segment.bot, sink)
                base.overflowed[key] = base.overflowed.get(key, 0) + lines
                logger.error(
                    "the disk budget is used up: lines went that a sink had not delivered",
                    extra={"bot": segment.bot, "writer": segment.writer, "sink": sink, "lines": lines},
                )
        base.save(self._home)
        self.base = base  # only what is on disk may be judged by
        retention.remove(self._home, segment)
        logger.info("a segment was removed", extra={"path": str(segment.path(self._home)), "bytes": segment.bytes})
        return True

    def _read(self, segment: Segment) -> Iterator[Batch]:
        follower = WriterFollower(self._home, segment.bot, segment.writer, Position(segment.first_seq, 0))
        try:
            while (batch := follower.read(FOLD_BYTES)) is not None and batch.start.segment == segment.first_seq:
                yield batch
        finally:
            follower.close()

    def _measure(self) -> None:
        sizes: dict[Key, int] = {}
        for segment in retention.list_segments(self._home):
            sizes[segment.key] = sizes.get(segment.key, 0) + segment.bytes
        self.sizes = sizes


def _limited_with(segment: Segment) -> tuple[str, bool]:
    """Segments with the same share one limit."""
    return segment.bot, segment.writer == names.CONTROL


def _undelivered(batch: Batch, cursor: Cursor) -> int:
    """Lines of a batch that a sink has not delivered: behind its position, and not in the range that is ahead of it."""
    key = (batch.bot, batch.writer)
    position = cursor.positions.get(key, START)
    start, end = cursor.ahead.get(key, (START, START))
    at, count = batch.start, 0
    for line in batch.lines:
        count += at >= position and not start <= at < end
        at = Position(at.segment, at.offset + len(line) + 1)
    return count
