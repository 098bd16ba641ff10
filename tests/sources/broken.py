"""Sources that break the contract, each in one way: `tests.sources.example` with a fault."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Literal

from deskwatch.events import LogRecorded
from deskwatch.sources.memory import Memory
from deskwatch.sources.source import Finding
from deskwatch.sources.watched import Watched
from tests.sources.example import POLL_SECONDS, Answer, AwayError, ExampleSource, Settings


class Forgetful(ExampleSource):
    """Knows only what it told in this run."""

    def memory(self) -> Memory:
        self.known: set[str] = set()
        return Memory()

    def tell(self, watched: Watched, answer: Answer) -> None:
        watched.connected("tcp", "peer", up=True)
        for fact in answer.facts:
            if fact not in self.known:
                self.known.add(fact)
                watched.emit(LogRecorded(message=fact, levelname="INFO", name="peer"))


class Blind(ExampleSource):
    """Takes what is there at its start for told."""

    skips = True

    async def watch(self, watched: Watched) -> None:
        self.skips = True
        await super().watch(watched)

    def tell(self, watched: Watched, answer: Answer) -> None:
        watched.connected("tcp", "peer", up=True)
        if self.skips:
            self.skips = False
            self.known = set(answer.facts)
        for fact in set(answer.facts) - self.known:
            self.known.add(fact)
            watched.emit(LogRecorded(message=fact, levelname="INFO", name="peer"))


class Fragile(ExampleSource):
    """Ends with its peer's first fault, and leaves the rest to its host."""

    async def watch(self, watched: Watched) -> None:
        while True:
            self.tell(watched, await self.ask(watched))
            await asyncio.sleep(POLL_SECONDS)


class Eager(ExampleSource):
    """Asks a peer that is away again and again, without a pause."""

    async def watch(self, watched: Watched) -> None:
        while True:
            try:
                self.tell(watched, await self.ask(watched))
            except AwayError:
                watched.health.lost()
                await asyncio.sleep(0.001)
            else:
                await asyncio.sleep(POLL_SECONDS)


class Blocking(ExampleSource):
    """Sleeps in its thread while it waits for an answer."""

    async def ask(self, watched: Watched | None) -> Answer:
        if watched is not None and watched.health.failures.total() == 1:
            time.sleep(2.5)  # noqa: ASYNC251  the fault
        return await super().ask(watched)


class Stubborn(ExampleSource):
    """Does not end when it is asked to, but later."""

    async def watch(self, watched: Watched) -> None:
        try:
            await super().watch(watched)
        except asyncio.CancelledError:
            for _ in range(2):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(4.0)


class Always(asyncio.Event):
    """Set, whatever is said of it."""

    def is_set(self) -> bool:
        return True

    async def wait(self) -> Literal[True]:
        return True


class Careless(ExampleSource):
    """Takes commands although its peer is away."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reachable = Always()


class Speechless(ExampleSource):
    """Says that something is wrong, and not what to do."""

    async def examine(self) -> AsyncIterator[Finding]:
        try:
            await self.ask(None)
        except AwayError:
            yield Finding(ok=False, what="No.")
        else:
            yield Finding(ok=True, what="Yes.")
