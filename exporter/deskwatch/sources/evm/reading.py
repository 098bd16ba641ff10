"""Looking at the chain's state at each head: what everybody wants to know goes to the node as one batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from deskwatch.sources.evm.errors import NoAnswer
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.question import Answer, Question


class Asks(Protocol):
    """Whoever asks a node: `deskwatch.sources.evm.rpc.Rpc`."""

    async def batch(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers, in the questions' order: a result or an `RpcError` each."""


class Reading(Protocol):
    """Something that is looked at."""

    async def prepare(self) -> None:
        """Find out what has to be known before the first look: it never changes."""

    def questions(self, head: Head) -> list[Question]:
        """What is asked at this head."""

    async def take(self, head: Head, answers: list[Answer]) -> None:
        """Journal what the answers say."""


class Readings:
    """All of them, as one part of the watch."""

    def __init__(self, asks: Asks, readings: Sequence[Reading]) -> None:
        self._asks = asks
        self._readings = readings

    async def at_head(self, head: Head) -> None:
        """Look at everything, at the newest block alone: the state of those before it is no more."""
        if not head.is_newest:
            return
        for one in self._readings:
            await one.prepare()
        asked = [one.questions(head) for one in self._readings]
        questions = [question for some in asked for question in some]
        told = iter(await self._asks.batch(questions) if questions else [])
        faults: list[Exception] = []
        for one, some in zip(self._readings, asked, strict=True):
            try:
                await one.take(head, [next(told) for _ in some])
            except NoAnswer:
                raise
            except Exception as fault:  # one's fault must not keep the others from looking
                faults.append(fault)
        if faults:
            raise faults[0]

    async def reorganized(self, depth: int, head: Head) -> None:
        """What a reorg took back is known by the memory: the next head settles it."""


class Due:
    """What was told of each thing last, and when: it is told again when it changed, or after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._told: dict[str, tuple[object, float]] = {}

    def is_due(self, name: str, value: object, seconds: float | None = None) -> bool:
        """Whether it is to be told, which counts as done."""
        now = time.monotonic()
        known = self._told.get(name)
        if known is not None and known[0] == value and now - known[1] < (seconds or self._seconds):
            return False
        self._told[name] = (value, now)
        return True


def at(head: Head) -> str:
    """The block as a parameter: answers of one batch are then all as of this block."""
    return hex(head.number)
