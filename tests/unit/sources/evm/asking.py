"""A source's own parts over nodes of the tests: endpoints, and a watched bot's journal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.sources.evm import Settings, open_source, opening
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.host import HostedSource
from deskwatch.sources.kinds import Assigned
from deskwatch.sources.watched import Watched
from tests.waiting import patience

BOT = "chainwatch"
QUICK: dict[str, Any] = {
    "bot": BOT,
    "poll_seconds": 0.02,
    "requests_per_second": 1000.0,
    "calls_per_second": 10_000.0,
    "timeout_seconds": 5.0,
}


def settings(*urls: str, **more: Any) -> Settings:
    """Settings that wait for nothing."""
    return Settings(urls=urls, **{**QUICK, **more})


@contextlib.asynccontextmanager
async def watched(home: Path) -> AsyncIterator[Watched]:
    """A journal to write to."""
    held = Watched(home, BOT, "main", kind="evm", peer="test", memory=EvmMemory()).open()
    try:
        yield held
    finally:
        held.close()


@contextlib.asynccontextmanager
async def asking(home: Path, *urls: str, **more: Any) -> AsyncIterator[tuple[Rpc, Watched]]:
    """Something to ask nodes with."""
    told = settings(*urls, **more)
    async with watched(home) as held, opening.client(told, urls, opening.tls(told)) as http:
        yield Rpc(opening.endpoints(told, list(urls), http, held.health), held, chain_id=told.chain_id), held


@contextlib.contextmanager
def watching(home: Path, *urls: str, **more: Any) -> Iterator[HostedSource]:
    """The whole source, in its thread."""
    hosted = HostedSource(Assigned(open_source(settings(*urls, **more)), BOT, "main"), home)
    hosted.start()
    try:
        yield hosted
    finally:
        hosted.ask_to_stop()
        assert hosted.has_ended(10 * patience())


def journaled(home: Path, *types: type[ev.Event]) -> list[Any]:
    """The journal's events of these types (all, if none is named), in order."""
    decoder = msgspec.json.Decoder(ev.AnyEvent)
    found: list[ev.Event] = []
    for file in sorted((home / "journal" / BOT / "main").glob("*.ndjson")):
        found += [decoder.decode(line) for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [one for one in found if not types or isinstance(one, types)]


def blocks(home: Path) -> list[tuple[int, str | None]]:
    """Number and hash of each block that was journaled."""
    return [(one.block, one.hash) for one in journaled(home, ev.BlockObserved)]


def links(home: Path) -> list[tuple[str, bool, str | None]]:
    """What became of the connections to endpoints: venue, whether up, the reason's first word."""
    return [
        (one.venue, one.up, None if one.reason is None else one.reason.partition(":")[0])
        for one in journaled(home, ev.ConnectionChanged)
    ]
