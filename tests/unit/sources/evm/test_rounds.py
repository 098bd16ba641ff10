"""Going round the endpoints: who lies stale, and who is well again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.rounds import Rounds
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.unit.sources.evm.asking import asking, links

HEIGHT = ("eth_blockNumber", ())


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.mine(9)
    return chain


@pytest.fixture
def nodes(chain: Chain) -> Iterator[tuple[Node, Node]]:
    with evm_node.running(chain) as first, evm_node.running(chain) as second:
        yield first, second


def rhythm() -> Rhythm:
    """Of a chain with a block in 2 s, whose nodes lie stale after 10 s: five blocks."""
    found = Rhythm(None, 10.0)
    found.learn([(0, 0.0), (9, 18.0)])
    return found


async def test_an_endpoint_whose_head_stays_behind_is_left_and_taken_again_when_it_has_caught_up(
    chain: Chain, nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    first, second = nodes
    async with asking(tmp_path, first.url, second.url) as (rpc, held):
        rounds = Rounds(rpc, rhythm())
        await rounds.once()
        first.frozen_at = 9
        chain.mine(5)
        await rounds.once()
        assert await rpc.call(*HEIGHT) == "0x9", "five blocks are not stale yet"
        chain.mine(1)
        await rounds.once()
        assert await rpc.call(*HEIGHT) == "0xf", "the other is asked"
        assert held.health.failures == {"stale": 1}
        first.frozen_at = 11
        await rounds.once()
        assert await rpc.call(*HEIGHT) == "0xf", "four blocks behind is not well yet"
        first.frozen_at = None
        before = len(second.asked)
        await rounds.once()
        assert await rpc.call(*HEIGHT) == "0xf"
        assert len(second.asked) == before + 1, "the preferred one is asked again"
        name = rpc.endpoints[0].name
    assert [link for link in links(tmp_path) if link[0] == name] == [
        (name, True, None),
        (name, False, "stale"),
        (name, True, None),
    ]


async def test_the_preferred_endpoint_is_taken_again_once_it_answers(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    first, second = nodes
    async with asking(tmp_path, first.url, second.url) as (rpc, _):
        first.status = 500
        await rpc.call(*HEIGHT)
        first.mend()
        await rpc.call(*HEIGHT)
        assert len(first.asked) == 1, "no question is spent on trying it"
        rpc.endpoints[0].rest_until(time.monotonic())
        await Rounds(rpc, rhythm()).once()
        before = len(second.asked)
        await rpc.call(*HEIGHT)
    assert len(second.asked) == before
    assert first.methods[-1] == "eth_blockNumber"


async def test_an_endpoint_that_fails_in_a_round_is_told_before_it_is_needed(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    first, second = nodes
    async with asking(tmp_path, first.url, second.url) as (rpc, held):
        second.garble = lambda method, found: {} if method == "eth_blockNumber" else found
        await Rounds(rpc, rhythm()).once()
        assert held.health.failures == {"garbage": 1}
        assert rpc.endpoints[1].fault is not None
        assert held.health.up


async def test_an_endpoint_whose_number_can_be_none_makes_no_other_look_stale(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    first, second = nodes
    second.garble = lambda method, found: "0x" + "ff" * 32 if method == "eth_blockNumber" else found
    async with asking(tmp_path, first.url, second.url) as (rpc, held):
        await Rounds(rpc, rhythm()).once()
        assert held.health.failures == {"garbage": 1}
        assert [one.fault is None for one in rpc.endpoints] == [True, False]


@pytest.mark.parametrize(
    ("block_seconds", "poll", "stale", "blocks"),
    [(12.0, 6.0, 60.0, 5), (2.0, 1.0, 15.0, 8), (0.25, 1.0, 15.0, 60), (3600.0, 15.0, 300.0, 5)],
)
def test_a_chains_rhythm_says_how_often_to_look_and_when_a_node_is_stale(
    block_seconds: float, poll: float, stale: float, blocks: int
) -> None:
    found = Rhythm(None, None)
    found.learn([(100, 0.0), (200, 100 * block_seconds)])
    assert (found.poll_seconds, found.stale_seconds, found.stale_blocks) == (poll, stale, blocks)


def test_what_is_configured_goes_before_a_chains_rhythm() -> None:
    found = Rhythm(0.5, 7.0)
    found.learn([(5, 100.0), (5, 100.0)])
    found.learn([(6, 0.0)])
    assert (found.poll_seconds, found.stale_seconds, found.block_seconds) == (0.5, 7.0, 12.0)
