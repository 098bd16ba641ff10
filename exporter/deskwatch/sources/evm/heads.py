"""Following a chain's newest block: gaps are filled, and blocks that the chain left are noticed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from deskwatch.errors import JournalError
from deskwatch.events import BlockObserved, ErrorOccurred, LogRecorded, ReorgObserved
from deskwatch.scrub import scrub
from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import Garbled, NoAnswer, RpcError
from deskwatch.sources.evm.head import Head, head
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.part import Part
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.lateness import late
from deskwatch.sources.watched import Watched

logger = logging.getLogger(__name__)

MEASURED_BLOCKS = 100
"""So many blocks show a chain's rhythm."""
FEW_BLOCKS = 10
"""So many give a first idea, where the chain is too young to be measured."""
NO_HASH = "0x" + "0" * 64


class Heads:
    """Tells the parts of each block, in the chain's order, then journals it: a block that is journaled was looked at.

    What is remembered of the chain is in the memory alone, so a watch that is begun again goes on where it ended.
    """

    def __init__(self, rpc: Rpc, watched: Watched, settings: Settings, parts: Sequence[Part], rhythm: Rhythm) -> None:
        self._rpc = rpc
        self._watched = watched
        self._settings = settings
        self._parts = parts
        self._rhythm = rhythm
        self._left: tuple[int, Head, list[Part]] | None = None
        self._at: tuple[str, list[Part]] = ("", [])
        self._is_measured = False
        self._faults: set[str] = set()

    async def look(self) -> None:
        """Follow the chain to its newest block.

        Raises:
            NoAnswer: No endpoint answers; what was not told yet is told the next time.
            NotJournaled: The journal can't be written; the watch is to be begun again with what it has.
        """
        await self._tell_reorg()
        newest = await self._rpc.read([_question("latest")], _newest)
        if not self._is_measured:
            await self._measure(newest)
        blocks = self._memory.blocks
        if not blocks or self._memory.chain != self._settings.chain:
            await self._tell(newest)
            return
        number, own, seconds = blocks[-1]
        if newest.hash == own:
            return
        if newest.number <= number:
            if any(known == newest.hash for _, known, _ in blocks):
                return  # a node that has not heard of our newest block yet
            if newest.number < number and newest.timestamp <= seconds:
                return  # one that lags on a branch that was left; a branch that replaces ours is newer than ours
            await self._reorganize(newest)
        if not await self._catch_up(newest):
            await self._reorganize(newest)
            await self._catch_up(newest)

    @property
    def _memory(self) -> EvmMemory:
        memory = self._watched.memory
        if not isinstance(memory, EvmMemory):
            raise TypeError(f"expected an EvmMemory, was {type(memory).__name__}")
        return memory

    # Forward

    async def _catch_up(self, newest: Head) -> bool:
        blocks = self._memory.blocks
        first = blocks[-1][0] + 1 if blocks else newest.number
        most = self._settings.max_catch_up_blocks
        if newest.number - first >= most:
            if not await self._still_stands(newest):
                return False
            skipped = newest.number - most + 1 - first
            first += skipped
            self._watched.emit(
                LogRecorded(
                    levelname="WARNING",
                    name=__name__,
                    message=f"{skipped} blocks of {self._settings.chain} passed unwatched and were not read, as more "
                    f"than {most} (max_catch_up_blocks) came meanwhile",
                )
            )
        return await self._follow(first, newest)

    async def _still_stands(self, newest: Head) -> bool:
        """Whether the chain still has the newest block that was told: across a gap no parent's hash says so."""
        if not self._memory.blocks:
            return True
        number, own, _ = self._memory.blocks[-1]
        (found,) = await self._blocks([number], newest=newest.number)
        return found is None or found.hash == own

    async def _follow(self, first: int, newest: Head) -> bool:
        """Tell of the blocks from `first` to the newest, as far as they can be had; whether they fit what was told."""
        while first <= newest.number:
            if first == newest.number:
                found: list[Head | None] = [newest]
            else:
                last = min(first + self._settings.batch_calls - 1, newest.number)
                found = await self._blocks(range(first, last + 1), newest=newest.number)
            for one in found:
                if one is None:
                    return True  # the node that answered has not heard of it yet
                blocks = self._memory.blocks
                if blocks and blocks[-1][0] == one.number - 1 and blocks[-1][1] != one.parent:
                    return False
                await self._tell(one)
            first += len(found)
        return True

    async def _blocks(self, numbers: Sequence[int], *, newest: int) -> list[Head | None]:
        def read(_: Endpoint, answers: list[Answer]) -> list[Head | None]:
            return [_block(answer, number, newest) for number, answer in zip(numbers, answers, strict=True)]

        return await self._rpc.read([_question(hex(number)) for number in numbers], read)

    async def _tell(self, one: Head) -> None:
        if self._at[0] != one.hash:
            self._at = (one.hash, list(self._parts))
        waiting = self._at[1]
        while waiting:
            try:
                await waiting[0].at_head(one)
            except (NoAnswer, JournalError):
                raise
            except Exception as error:  # a part's fault must not end the others, nor stop at a block for ever
                self._tell_fault(waiting[0], error)
            waiting.pop(0)
        self._watched.emit(
            BlockObserved(
                chain=self._settings.chain,
                block=one.number,
                block_timestamp_seconds=one.timestamp,
                transactions=one.transaction_count,
                gas_used=one.gas_used,
                gas_limit=one.gas_limit,
                hash=one.hash,
                happened_timestamp_seconds=None if one.is_newest else late(one.timestamp, time.time()),
            )
        )
        if len(self._memory.blocks) >= (MEASURED_BLOCKS if self._rhythm.is_known else FEW_BLOCKS):
            self._rhythm.learn([(number, seconds) for number, _, seconds in self._memory.blocks])

    def _tell_fault(self, part: Part, error: Exception) -> None:
        name = type(part).__name__.lower()
        detail = scrub(f"{type(error).__name__}: {error}")[:500]
        logger.warning("a part of the watch failed", exc_info=error, extra={"part": name, "bot": self._watched.bot})
        if f"{name} {detail}" not in self._faults and len(self._faults) < 100:
            self._faults.add(f"{name} {detail}")
            self._watched.emit(ErrorOccurred(component=f"evm {name}", kind=type(error).__name__, message=detail))

    async def _measure(self, newest: Head) -> None:
        """How fast the chain is, by its newest blocks."""
        before = max(1, newest.number - MEASURED_BLOCKS)
        if before < newest.number:
            (old,) = await self._blocks([before], newest=newest.number)
            if old is not None:
                self._rhythm.learn([(old.number, old.timestamp), (newest.number, newest.timestamp)])
        self._is_measured = True

    # Back

    async def _reorganize(self, newest: Head) -> None:
        """Find the newest block that is still of the chain, and tell that those after it are not."""
        known = list(self._memory.blocks)
        ancestor = await self._ancestor(known)
        if ancestor is None:
            number = min(newest.number, known[0][0]) - 1
            depth = len(known)
            ancestor = Head(number=number, hash=NO_HASH, parent=NO_HASH, timestamp=0.0)
            self._watched.emit(
                LogRecorded(
                    levelname="WARNING",
                    name=__name__,
                    message=f"none of the {depth} newest blocks that were told of {self._settings.chain} is of the "
                    f"chain any more: it is another chain, or one that began anew; it is followed from here",
                )
            )
        else:
            depth = known[-1][0] - ancestor.number
        if depth < 1:
            return
        self._watched.emit(
            ReorgObserved(chain=self._settings.chain, block=ancestor.number, depth=depth, left=known[-1][1])
        )
        self._left = (depth, ancestor, list(self._parts))
        await self._tell_reorg()

    async def _ancestor(self, known: Sequence[tuple[int, str, float]]) -> Head | None:
        step = self._settings.batch_calls
        for end in range(len(known), 0, -step):
            part = known[max(0, end - step) : end]
            found = await self._blocks([number for number, _, _ in part], newest=-1)
            by_number = {one.number: one for one in found if one is not None}
            for number, own, _ in reversed(part):
                if number in by_number and by_number[number].hash == own:
                    return by_number[number]
        return None

    async def _tell_reorg(self) -> None:
        if self._left is None:
            return
        depth, ancestor, waiting = self._left
        while waiting:
            try:
                await waiting[0].reorganized(depth, ancestor)
            except (NoAnswer, JournalError):
                raise
            except Exception as error:  # as in `_tell`
                self._tell_fault(waiting[0], error)
            waiting.pop(0)
        self._left = None


def _question(at: str) -> Question:
    return ("eth_getBlockByNumber", (at, False))


def _newest(_: Endpoint, answers: list[Answer]) -> Head:
    if isinstance(answers[0], RpcError):
        raise Garbled(f"expected its newest block, was: {answers[0]}")
    return head(answers[0])


def _block(answer: Answer, number: int, newest: int) -> Head | None:
    if answer is None or isinstance(answer, RpcError):
        return None
    found = head(answer, is_newest=number == newest)
    if found.number != number:
        raise Garbled(f"expected block {number}, was {found.number}")
    return found
