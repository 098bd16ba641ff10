"""All bots of all sidecars that are watched, and what happened to them lately."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial
from typing import Self

import msgspec

from deskwatch.errors import DeskwatchError
from deskwatch.live import Access, BotState, Entry, Live
from deskwatch.live.asking import Sidecar
from deskwatch.live.held import is_before
from deskwatch.live.in_thread import in_thread

KEPT = 2000
"""Events that the feed remembers."""


BEFORE = 100
"""Events from before that the feed begins with."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One bot: its state, and the link that tells of it.

    Attributes:
        key: Unique among all sidecars.
    """

    key: str
    state: BotState
    link: Live


class _Recent(msgspec.Struct, frozen=True, kw_only=True):
    events: list[Entry] = []


class Fleet:
    """Follows sidecars. An async context manager.

    Attributes:
        links: A sidecar each.
        faults: URL → why nothing more comes from that sidecar, though it may be there: a wrong token.
        events: The newest, oldest first.
        count: Events so far; grows by one with each.
    """

    def __init__(self, accesses: list[Access], bots: tuple[str, ...] = ()) -> None:
        self.links = [Live(access, bots) for access in accesses]
        self._wanted = frozenset(bots)
        self.faults: dict[str, str] = {}
        self.events: deque[Entry] = deque(maxlen=KEPT)
        self.count = 0
        self.changed = True
        """Whether anything came since someone set this to False."""
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        for link in self.links:
            await self._stack.enter_async_context(link)
            self._tasks.append(asyncio.create_task(self._follow(link)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def bots(self) -> list[Watched]:
        """Every bot, by name, then by sidecar."""
        found = [
            Watched(key=f"{at}/{name}", state=state, link=link)
            for at, link in enumerate(self.links)
            for name, state in link.bots.items()
        ]
        return sorted(found, key=lambda one: (one.state.bot, one.key))

    async def _begin(self, link: Live) -> None:
        """Show what happened before, where the sidecar tells; no event of it comes again by the stream."""
        sidecar = Sidecar(link.access)
        query: dict[str, object] = {"limit": BEFORE}
        if len(self._wanted) == 1:  # a token may be for one bot alone
            query["bot"] = next(iter(self._wanted))
        try:
            answer = await in_thread(partial(sidecar.ask_bytes, "GET", "/activity/recent", query=query))
            past = msgspec.json.decode(answer, type=_Recent).events
        except (DeskwatchError, msgspec.DecodeError):
            return
        finally:
            sidecar.close()
        known = {entry.id for entry in self.events}
        past = [one for one in past if not self._wanted or one.bot in self._wanted]
        earlier = [one for one in past if one.id not in known and is_before(one, link.cursor)]
        merged = sorted([*earlier, *self.events], key=lambda entry: entry.ts)
        self.events = deque(merged, maxlen=KEPT)
        self.changed = True

    async def _follow(self, link: Live) -> None:
        try:
            async for change in link:
                if change.is_whole:  # also where it could not go on: the newest of what was missed
                    await self._begin(link)
                self.events.extend(change.events)
                self.count += len(change.events)
                self.changed = True
                if change.events:
                    await asyncio.sleep(0)  # keys are read also while thousands of events come
        except DeskwatchError as error:
            self.faults[link.access.url] = str(error)
            self.changed = True
