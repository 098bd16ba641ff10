"""The WebSocket that tells of new blocks: it saves waiting, and nothing depends on it."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deskwatch import backoff
from deskwatch.sources.evm import stream
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.stream import Stream, try_stream
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.unit.sources.evm.asking import blocks, links, watched, watching
from tests.waiting import eventually, eventually_async


@pytest.fixture
def node() -> Iterator[Node]:
    chain = Chain()
    chain.mine(9)
    with evm_node.running(chain, streams=True) as node:
        yield node


@asynccontextmanager
async def listening(
    home: Path, url: str, newest: Callable[[], int] = int
) -> AsyncIterator[tuple[Stream, asyncio.Event]]:
    wake = asyncio.Event()
    async with watched(home) as held:
        listened = Stream(url, "node", held, Rhythm(None, None), wake, newest, timeout_seconds=5.0)
        task = asyncio.create_task(listened.listen())
        try:
            yield listened, wake
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_each_head_wakes_and_so_does_nonsense(node: Node, tmp_path: Path) -> None:
    async with listening(tmp_path, node.ws_url) as (listened, wake):
        await eventually_async(lambda: listened.is_up and node.heads)
        for text in (None, "nonsense", "[1]"):
            wake.clear()
            await asyncio.to_thread(node.tell_head, text)
            await asyncio.wait_for(wake.wait(), 10)
    assert [link[1] for link in links(tmp_path)] == [True]


async def test_a_stream_that_is_cut_is_opened_again_and_both_are_told(node: Node, tmp_path: Path) -> None:
    async with listening(tmp_path, node.ws_url) as (listened, wake):
        await eventually_async(lambda: listened.is_up and node.heads)
        await asyncio.to_thread(node.cut_streams)
        await eventually_async(lambda: len(links(tmp_path)) == 3 and node.heads)
        wake.clear()
        await asyncio.to_thread(node.tell_head)
        await asyncio.wait_for(wake.wait(), 10)
    assert links(tmp_path) == [("node", True, None), ("node", False, "closed"), ("node", True, None)]


async def test_a_stream_that_says_nothing_is_opened_anew(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SILENT_AT_LEAST_SECONDS", 0.05)
    monkeypatch.setattr(stream, "SILENT_BLOCKS", 0)
    passed = itertools.count(step=stream.PASSED_BLOCKS)
    async with listening(tmp_path, node.ws_url, lambda: next(passed)):
        await eventually_async(lambda: ("node", False, "silent") in links(tmp_path))


async def test_a_stream_that_says_nothing_while_the_chain_rests_stays_up(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SILENT_AT_LEAST_SECONDS", 0.01)
    monkeypatch.setattr(stream, "SILENT_BLOCKS", 0)
    looks = itertools.count(1)
    silences = 0

    def newest() -> int:
        nonlocal silences
        silences = next(looks)
        return 9

    async with listening(tmp_path, node.ws_url, newest) as (listened, wake):
        await eventually_async(lambda: silences > 10)
        await asyncio.to_thread(node.tell_head)
        await asyncio.wait_for(wake.wait(), 10)
        assert listened.is_up
    assert links(tmp_path) == [("node", True, None)]


async def test_a_stream_that_is_cut_at_once_again_and_again_is_left_alone_longer_each_time(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[float] = []

    def uniform(_: float, bound: float) -> float:
        bounds.append(bound)
        return 0.0

    monkeypatch.setattr("random.uniform", uniform)
    async with listening(tmp_path, node.ws_url) as (listened, _):
        for cuts in range(1, 5):
            await eventually_async(lambda: listened.is_up and node.heads)
            await asyncio.to_thread(node.cut_streams)
            await eventually_async(functools.partial(_has, bounds, cuts))
    assert bounds[:4] == [backoff.FIRST_SECONDS * 2**tries for tries in range(4)]


def _has(found: list[float], count: int) -> bool:
    return len(found) >= count


async def test_why_there_is_no_stream_is_said_without_the_url(node: Node, tmp_path: Path) -> None:
    cases = {
        f"{node.url.replace('http', 'ws')}/key-0123456789": "handshake: it answers, but speaks no WebSocket",
        "ws://127.0.0.1:1/key-0123456789": "connect: ",
        f"{node.ws_url}/key-0123456789": "refused: it lets nobody subscribe",
    }
    node.refuses_streams = True
    node.words = "no streams for key-0123456789"
    for url, why in cases.items():
        told = await try_stream(url, 5.0, None)
        assert told is not None
        assert told.startswith(why)
        assert "key-" not in told
    node.refuses_streams = False
    assert await try_stream(node.ws_url, 5.0, None) is None


def test_a_watch_with_a_stream_looks_at_once_and_seldom_by_the_clock(node: Node, tmp_path: Path) -> None:
    with watching(tmp_path, node.url, ws_url=node.ws_url, poll_seconds=600.0):
        eventually(lambda: node.heads and blocks(tmp_path))
        node.chain.mine()
        node.tell_head()
        eventually(lambda: len(blocks(tmp_path)) == 2)
