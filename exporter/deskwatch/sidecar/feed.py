"""The feed: follows all journals and folds what they say into the projections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from deskwatch import base
from deskwatch.journal import START, Batch, Follower, Position
from deskwatch.journal.notify import POLL_SECONDS
from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry
from deskwatch.projections.metrics.guard import MAX_SERIES
from deskwatch.sidecar.checkpoint import Checkpoint
from deskwatch.sidecar.streaming.cursor import BEGINNING, Place, mark_of

logger = logging.getLogger(__name__)

BATCH_BYTES = 128 * 1024
"""Read at once from one writer: what folds in a few milliseconds."""
BREATH_SECONDS = 0.005
"""Pause after each round, so that many lines are folded together instead of one by one."""
DISCOVER_SECONDS = 1.0
"""How often to look for new bots, and at every journal, if the kernel doesn't tell."""
STOP_SECONDS = 5.0


class Round(NamedTuple):
    """What was folded between two awaits.

    Attributes:
        entries: The new activity, in order.
        moved: How far the journals that had something are folded in now.
        faulty: Journals that were found not to be as they were left.
    """

    entries: list[Entry]
    moved: dict[tuple[str, str], Place]
    faulty: set[tuple[str, str]]


Listener = Callable[[Round], None]


class Feed:
    """Keeps the projections up to date with the journals. An async context manager.

    Attributes:
        projections: Read them freely between awaits; they change only within the feed's own steps.
        caught_up: Set once everything that the journals held at the start is folded in.
        positions: Up to where each journal is folded in.
        places: The same, for those who stream it.
        saved: Up to where the checkpoint on disk goes.
        checkpoint: The newest one on disk.
        base_is_whole: Whether figures that retention removed could all be taken back, where they were needed.
    """

    def __init__(self, home: Path, checkpoint_seconds: float, max_series: int = MAX_SERIES) -> None:
        self.projections = Projections(max_series)
        self.caught_up = asyncio.Event()
        self.home = home
        self.checkpoint = Checkpoint(home)
        self._checkpoint_seconds = checkpoint_seconds
        self._follower = Follower(home)
        self.positions: dict[tuple[str, str], Position] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self.saved: dict[tuple[str, str], Position] = {}
        self.base_is_whole = True
        self._goal: dict[tuple[str, str], Position] = {}
        self._appeared = False
        self._woken = asyncio.Event()
        self._folded = asyncio.Condition()
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.checkpoint_failures = 0

    def listen(self, listener: Listener) -> None:
        """Call `listener` with what was folded, before anybody else can see it in the projections."""
        self._listeners.append(listener)

    async def __aenter__(self) -> Self:
        self.positions = self._restore()
        self.places = {key: Place(position) for key, position in self.positions.items()}
        self.saved = dict(self.positions)
        self._follower = Follower(self.home, self.positions, memory=self.projections.continuity).open()
        self._follower.discover()
        self._goal = self._follower.ends()
        self._tasks = [
            asyncio.create_task(self._follow(), name="feed"),
            asyncio.create_task(self._save_regularly(), name="checkpoint"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop following and write a last checkpoint."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        await self.save()
        self._follower.close()

    def _restore(self) -> dict[tuple[str, str], Position]:
        """Load the checkpoint, or else the base that retention left; the positions to go on from."""
        positions = self.checkpoint.load(self.projections)
        removed = base.load(self.home)
        if positions and removed.is_within(positions):
            return positions
        if positions:
            logger.warning("the checkpoint is older than what retention removed, replaying onto the base")
            self.projections.reset()
        self.base_is_whole = removed.restore(self.projections)
        if not self.base_is_whole:
            logger.error("the base is of another version or can't be read: totals may lack what retention removed")
        return dict(removed.positions)

    @property
    def is_following(self) -> bool:
        """Whether its tasks run, and every journal that it knows can be read."""
        return all(not task.done() for task in self._tasks) and not self._follower.unreadable

    @property
    def unreadable(self) -> set[tuple[str, str]]:
        """Journals, by bot and writer, that could not be read at the last try."""
        return self._follower.unreadable

    def backlog_bytes(self) -> int:
        """Journal bytes that are not folded in yet. May be asked from another thread."""
        return self._follower.backlog_bytes()

    async def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the projections holds; False if it does not within the time."""
        async with self._folded:
            try:
                async with asyncio.timeout(seconds):
                    await self._folded.wait_for(condition)
            except TimeoutError:
                return condition()
        return True

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        fd = self._follower.notifier.fileno()
        if fd >= 0:
            loop.add_reader(fd, self._wake)
        looked = loop.time()
        try:
            while True:
                self._woken.clear()
                try:
                    is_time = loop.time() - looked >= DISCOVER_SECONDS
                    if self._appeared or is_time:
                        self._appeared = False
                        self._follower.discover()
                    if (
                        fd >= 0 and self._follower.notifier.fileno() < 0
                    ):  # it could not watch one more: poll from now on
                        loop.remove_reader(fd)
                        fd = -1
                    if is_time:
                        looked = loop.time()
                    folded = await self._fold_round(self._follower.read if is_time else self._follower.read_changed)
                except Exception:  # whatever it is, the figures must not stand still in silence
                    logger.exception("journals could not be followed, trying again")
                    await asyncio.sleep(DISCOVER_SECONDS)
                    continue
                if not self.caught_up.is_set():
                    self._check_caught_up()
                await asyncio.sleep(BREATH_SECONDS if self.caught_up.is_set() else 0)
                if not folded:
                    with contextlib.suppress(TimeoutError):  # not wait_for: Python 3.11's may swallow the cancellation
                        async with asyncio.timeout(DISCOVER_SECONDS if fd >= 0 else POLL_SECONDS):
                            await self._woken.wait()
        finally:
            if fd >= 0:
                loop.remove_reader(fd)

    def _wake(self) -> None:
        self._appeared = self._follower.notifier.drain() or self._appeared
        self._woken.set()

    async def _fold_round(self, read: Callable[[int], Iterator[Batch]]) -> bool:
        """Fold what writers have got; False if there was nothing. State and positions change together."""
        round_ = Round([], {}, set())
        folded = False
        lines = 0
        for batch in read(BATCH_BYTES):
            round_.entries.extend(self.projections.apply_batch(batch))
            key = (batch.bot, batch.writer)
            self.positions[key] = batch.position
            self.places[key] = round_.moved[key] = self._place(batch)
            if batch.faults:
                round_.faulty.add(key)
            folded = True
            lines += len(batch.lines)
            if lines > 100:  # of one writer or of many
                self._tell(round_)
                round_ = Round([], {}, set())
                await asyncio.sleep(0)
                lines = 0
        if folded:
            self._tell(round_)
            async with self._folded:
                self._folded.notify_all()
        return folded

    def _place(self, batch: Batch) -> Place:
        """Behind a batch. One that ends in a torn line, or in a piece of one, leaves none that can be found again."""
        is_piece = batch.position.offset - batch.start.offset == len(batch.lines[0]) if batch.lines else True
        if not is_piece and batch.position.segment == batch.start.segment:
            return Place(batch.position, mark_of(batch.lines[-1]))
        before = self.places.get((batch.bot, batch.writer), BEGINNING)
        return before if before.position == batch.position else Place(batch.position)

    def _tell(self, round_: Round) -> None:
        for listener in self._listeners:
            listener(round_)

    def _check_caught_up(self) -> None:
        positions = self._follower.positions()  # not those of batches: the newest segment may have no line yet
        reached = self._follower.unreadable | {key for key, at in positions.items() if at >= self._goal.get(key, START)}
        if reached.issuperset(self._goal):  # what can't be read is told by `is_following`, and holds up no other
            self.caught_up.set()
            logger.info("caught up with the journals", extra={"events": self.projections.activity.number})

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._checkpoint_seconds)
            try:
                await self.save()
            except Exception:  # the next one may succeed
                self.checkpoint_failures += 1
                logger.exception("checkpoint could not be made")

    async def save(self) -> None:
        """Write a checkpoint of now. Trouble with the disk is counted and logged."""
        positions = dict(self.positions)
        data = self.checkpoint.encode(self.projections, positions)
        try:
            await asyncio.to_thread(self.checkpoint.write, data)
            self.saved = positions
        except OSError as error:
            self.checkpoint_failures += 1
            logger.error("checkpoint could not be written", extra={"error": str(error)})
