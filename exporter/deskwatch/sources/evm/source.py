"""The source of an EVM chain: endpoints, heads, and the parts that look at each head."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from deskwatch.backoff import Backoff
from deskwatch.errors import ConfigError
from deskwatch.sources.evm import opening
from deskwatch.sources.evm.endpoint import names_of
from deskwatch.sources.evm.errors import NoAnswer
from deskwatch.sources.evm.examination import examine
from deskwatch.sources.evm.gas import Gas
from deskwatch.sources.evm.heads import Heads
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.obeying import Obeying
from deskwatch.sources.evm.parts import make_parts
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.rounds import Rounds
from deskwatch.sources.evm.rpc import CONNECTION as RPC_LINK
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.evm.stream import CONNECTION as STREAM_LINK
from deskwatch.sources.evm.stream import Stream
from deskwatch.sources.source import Finding
from deskwatch.sources.watched import Watched

logger = logging.getLogger(__name__)

STREAMED_POLL_FACTOR = 5.0
"""Where a WebSocket tells of new blocks, looks by the clock are a check only, and so much rarer."""
URLS_SECONDS = 60.0
"""How often the places of URLs are read again while an endpoint refuses us."""


class Evm:
    """Watches one chain. It has no mode and starts nothing: there is no bot that could act.

    Args:
        settings: What to watch, and by which endpoints.
        names: The endpoints' names, for people.
    """

    kind = "evm"

    def __init__(self, settings: Settings, names: Sequence[str]) -> None:
        self._settings = settings
        self._names = names

    @property
    def peer(self) -> str:
        """The chain, as far as it is named, and the endpoints' hosts."""
        return " by ".join(filter(None, [self._settings.chain, ", ".join(self._names)]))

    def memory(self) -> EvmMemory:
        """An empty memory."""
        return EvmMemory()

    async def watch(self, watched: Watched) -> None:
        """Watch until canceled."""
        while True:
            with contextlib.suppress(_UrlsChanged):
                await self._watch(watched)

    async def examine(self) -> AsyncIterator[Finding]:
        """Look at each endpoint, and at all that the settings name."""
        async for finding in examine(self._settings):
            yield finding

    async def _watch(self, watched: Watched) -> None:
        urls = opening.urls(self._settings)
        context = opening.tls(self._settings)
        async with opening.client(self._settings, urls, context) as http:
            endpoints = opening.endpoints(self._settings, urls, http, watched.health)
            watched.only_connects(RPC_LINK, [one.name for one in endpoints])
            rpc = Rpc(endpoints, watched, chain_id=self._settings.chain_id)
            settings = msgspec.structs.replace(self._settings, chain=await self._chain(rpc, urls))
            rhythm = Rhythm(settings.poll_seconds, settings.stale_seconds)
            memory = watched.memory
            if not isinstance(memory, EvmMemory):
                raise TypeError(f"expected an EvmMemory, was {type(memory).__name__}")
            parts = [Gas(rpc, watched, settings.chain), *make_parts(rpc, watched, settings, memory)]
            heads = Heads(rpc, watched, settings, parts, rhythm)
            wake = asyncio.Event()
            stream = self._stream(watched, rhythm, wake, lambda: memory.blocks[-1][0] if memory.blocks else 0)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._follow(heads, rhythm, wake, stream))
                    tasks.create_task(Rounds(rpc, rhythm).go())
                    tasks.create_task(Obeying(rpc, watched, settings.chain).obey())
                    tasks.create_task(self._reread(rpc, urls))
                    if stream is not None:
                        tasks.create_task(stream.listen())
            except BaseExceptionGroup as group:
                raise _first(group) from group

    async def _chain(self, rpc: Rpc, urls: list[str]) -> str:
        """The chain's name: as configured, or its number once an endpoint has said it."""
        backoff = Backoff()
        while rpc.chain_id is None:
            try:
                await rpc.call("eth_chainId")
            except NoAnswer as error:
                logger.warning("no endpoint answers yet", extra={"why": str(error)})
                await asyncio.sleep(backoff.next_seconds(error.retry_seconds))
                self._look_for_other_urls(rpc, urls)
        return self._settings.chain or str(rpc.chain_id)

    def _stream(
        self, watched: Watched, rhythm: Rhythm, wake: asyncio.Event, newest: Callable[[], int]
    ) -> Stream | None:
        url = opening.websocket_url(self._settings)
        watched.only_connects(STREAM_LINK, [] if url is None else names_of([url]))
        if url is None:
            return None
        return Stream(
            url,
            names_of([url])[0],
            watched,
            rhythm,
            wake,
            newest,
            tls=opening.tls(self._settings) if url.startswith("wss:") else None,
            timeout_seconds=self._settings.timeout_seconds,
        )

    async def _follow(self, heads: Heads, rhythm: Rhythm, wake: asyncio.Event, stream: Stream | None) -> None:
        backoff = Backoff()
        while True:
            wake.clear()
            try:
                await heads.look()
            except NoAnswer as error:
                await asyncio.sleep(backoff.next_seconds(error.retry_seconds))
                continue
            backoff.reset()
            seconds = rhythm.poll_seconds * (STREAMED_POLL_FACTOR if stream is not None and stream.is_up else 1.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await wake.wait()

    async def _reread(self, rpc: Rpc, urls: list[str]) -> None:
        while True:
            await asyncio.sleep(URLS_SECONDS)
            self._look_for_other_urls(rpc, urls)

    def _look_for_other_urls(self, rpc: Rpc, urls: list[str]) -> None:
        """A key that a provider refuses may have been replaced where it is kept."""
        if any(one.fault is not None and one.fault.reason == "refused" for one in rpc.endpoints):
            with contextlib.suppress(ConfigError):
                if opening.urls(self._settings) != urls:
                    raise _UrlsChanged


class _UrlsChanged(Exception):
    """The endpoints are others now."""


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What made a group of tasks end: whoever is told wants that, and not that there was a group."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
