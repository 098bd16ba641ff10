"""Following the newest block: gaps, reorgs, and nodes that lag or lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch import events as ev
from deskwatch.sources.evm.errors import NoAnswer
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.heads import Heads
from deskwatch.sources.evm.memory import KEPT_BLOCKS
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.watched import Watched
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.unit.sources.evm.asking import asking, blocks, journaled, settings


class Diary:
    """A part that writes down what it is told, and fails when asked to."""

    def __init__(self) -> None:
        self.heads: list[Head] = []
        self.left: list[tuple[int, int]] = []
        self.fails: list[Exception] = []

    async def at_head(self, head: Head) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.heads.append(head)

    async def reorganized(self, depth: int, head: Head) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.left.append((depth, head.number))

    @property
    def numbers(self) -> list[int]:
        return [head.number for head in self.heads]


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.mine(9)
    return chain


@pytest.fixture
def node(chain: Chain) -> Iterator[Node]:
    with evm_node.running(chain) as node:
        yield node


def following(rpc: Rpc, held: Watched, *parts: Diary, **more: Any) -> Heads:
    return Heads(rpc, held, settings("http://x", chain="c", **more), parts, Rhythm(None, None))


def told(chain: Chain, *numbers: int) -> list[tuple[int, str]]:
    """What the journal has of these blocks."""
    return [(number, chain.blocks[number]["hash"]) for number in numbers]


async def test_the_first_look_tells_the_newest_block_and_later_ones_all_that_came(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    diary = Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, diary)
        await heads.look()
        await heads.look()
        chain.mine(1, [{"hash": "0x1"}])
        await heads.look()
        chain.mine(45)
        await heads.look()
    assert blocks(tmp_path) == told(chain, *range(9, 56))
    assert diary.numbers == list(range(9, 56))
    assert [head.number for head in diary.heads if head.is_newest] == [9, 10, 55]
    block = journaled(tmp_path, ev.BlockObserved)[1]
    assert (block.chain, block.transactions, block.gas_used, block.gas_limit) == ("c", 1, 21_000, 30_000_000)
    late = [one.block for one in journaled(tmp_path, ev.BlockObserved) if one.happened_timestamp_seconds is not None]
    assert late == list(range(11, 55)), "what others followed was told late"


async def test_a_young_chain_shows_its_rhythm_in_time(tmp_path: Path) -> None:
    chain = Chain()  # a block in 2 s
    with evm_node.running(chain) as node:
        async with asking(tmp_path, node.url) as (rpc, held):
            rhythm = Rhythm(None, None)
            heads = Heads(rpc, held, settings("http://x", chain="c"), (), rhythm)
            await heads.look()
            assert not rhythm.is_known
            chain.mine(9)
            await heads.look()
            assert rhythm.block_seconds == 2.0


async def test_a_chain_is_measured_at_the_first_look(chain: Chain, node: Node, tmp_path: Path) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        rhythm = Rhythm(None, None)
        await Heads(rpc, held, settings("http://x", chain="c"), (), rhythm).look()
    assert rhythm.block_seconds == 2.0


async def test_a_longer_gap_than_is_read_is_told_in_words(chain: Chain, node: Node, tmp_path: Path) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, max_catch_up_blocks=10)
        await heads.look()
        chain.mine(30)
        await heads.look()
        chain.mine(10)
        await heads.look()
    assert [number for number, _ in blocks(tmp_path)] == [9, *range(30, 50)]
    (record,) = journaled(tmp_path, ev.LogRecorded)
    assert record.message.startswith("20 blocks of c passed unwatched")


async def test_a_reorg_before_blocks_that_are_skipped_is_told(chain: Chain, node: Node, tmp_path: Path) -> None:
    diary = Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, diary, max_catch_up_blocks=10)
        await heads.look()
        chain.mine()
        await heads.look()
        chain.reorganize(1, mined=40)
        await heads.look()
    assert diary.left == [(1, 9)]
    assert blocks(tmp_path)[2:] == told(chain, *range(40, 50))


async def test_a_reorg_is_told_and_the_blocks_that_came_in_place_are_told_anew(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    diary = Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, diary)
        await heads.look()
        chain.mine(40)
        await heads.look()
        left = chain.blocks[-1]["hash"]
        chain.reorganize(3)
        await heads.look()
        chain.mine()
        await heads.look()
    (reorg,) = journaled(tmp_path, ev.ReorgObserved)
    assert (reorg.chain, reorg.block, reorg.depth, reorg.left) == ("c", 46, 3, left)
    assert blocks(tmp_path)[-4:] == told(chain, 47, 48, 49, 50)
    assert diary.left == [(3, 46)]
    assert diary.numbers[-7:] == [47, 48, 49, 47, 48, 49, 50]


async def test_a_reorg_that_is_seen_when_the_chain_is_longer_already_is_told(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held)
        await heads.look()
        chain.mine(10)
        await heads.look()
        for mined in (3, 4, 40):  # as many blocks and one more; and many more
            chain.reorganize(2, mined)
            await heads.look()
    assert [one.depth for one in journaled(tmp_path, ev.ReorgObserved)] == [2, 2, 2]
    last = dict(blocks(tmp_path))
    assert last == dict(told(chain, *range(9, len(chain.blocks))))


async def test_a_branch_that_is_shorter_and_newer_takes_the_place_of_ours(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held)
        await heads.look()
        chain.mine(5)
        await heads.look()
        chain.reorganize(3, 2)
        chain.blocks[-1]["timestamp"] = hex(int(chain.blocks[-1]["timestamp"], 16) + 60)
        await heads.look()
    assert [(one.block, one.depth) for one in journaled(tmp_path, ev.ReorgObserved)] == [(11, 3)]


async def test_a_node_that_lags_is_no_reorg(chain: Chain, node: Node, tmp_path: Path) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held)
        await heads.look()
        chain.mine(5)
        await heads.look()
        node.frozen_at = 3  # older than anything that is remembered
        await heads.look()
        node.frozen_at = 12
        await heads.look()
        node.frozen_at = None
        chain.mine()
        await heads.look()
    assert journaled(tmp_path, ev.ReorgObserved) == []
    assert [number for number, _ in blocks(tmp_path)] == [9, 10, 11, 12, 13, 14, 15]


async def test_a_chain_that_began_anew_is_followed_from_there(chain: Chain, node: Node, tmp_path: Path) -> None:
    diary = Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, diary)
        await heads.look()
        chain.mine(300)
        await heads.look()
        chain.reorganize(len(chain.blocks), 4)
        chain.blocks[-1]["timestamp"] = hex(2**33)
        await heads.look()
        chain.mine()
        await heads.look()
    (reorg,) = journaled(tmp_path, ev.ReorgObserved)
    assert (reorg.block, reorg.depth) == (2, KEPT_BLOCKS)
    assert diary.left == [(KEPT_BLOCKS, 2)]
    assert journaled(tmp_path, ev.LogRecorded)[-1].message.startswith(f"none of the {KEPT_BLOCKS} newest blocks")
    assert blocks(tmp_path)[-2:] == told(chain, 3, 4)


async def test_a_watch_that_is_begun_again_goes_on_where_it_ended(chain: Chain, node: Node, tmp_path: Path) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        await following(rpc, held).look()
    chain.mine(3)
    async with asking(tmp_path, node.url) as (rpc, held):
        await following(rpc, held).look()
    chain.reorganize(2)
    async with asking(tmp_path, node.url) as (rpc, held):
        await following(rpc, held).look()
    assert [number for number, _ in blocks(tmp_path)] == [9, 10, 11, 12, 11, 12]
    assert [one.depth for one in journaled(tmp_path, ev.ReorgObserved)] == [2]


async def test_another_chain_under_the_same_name_is_no_reorg_of_the_first(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    async with asking(tmp_path, node.url) as (rpc, held):
        await following(rpc, held).look()
    other = Chain(chain_id=6)
    with evm_node.running(other) as second:
        async with asking(tmp_path, second.url) as (rpc, held):
            heads = Heads(rpc, held, settings("http://x", chain="d"), (), Rhythm(None, None))
            await heads.look()
            other.mine()
            await heads.look()
    assert [(one.chain, one.block) for one in journaled(tmp_path, ev.BlockObserved)] == [("c", 9), ("d", 0), ("d", 1)]
    assert journaled(tmp_path, ev.ReorgObserved, ev.LogRecorded) == []


async def test_a_part_that_got_no_answer_is_told_of_the_same_head_again_and_the_others_are_not(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    well, failing, last = Diary(), Diary(), Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, well, failing, last)
        failing.fails = [NoAnswer("away")]
        with pytest.raises(NoAnswer):
            await heads.look()
        assert blocks(tmp_path) == [], "a block that is journaled was looked at"
        await heads.look()
        chain.mine(3)
        await heads.look()
        chain.reorganize(2)
        failing.fails = [NoAnswer("away"), NoAnswer("away")]
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await heads.look()
        await heads.look()
    for part in (well, failing, last):
        assert part.numbers == [9, 10, 11, 12, 11, 12]
        assert part.left == [(2, 10)]


async def test_a_part_that_fails_is_told_once_and_holds_nobody_up(chain: Chain, node: Node, tmp_path: Path) -> None:
    failing, well = Diary(), Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        heads = following(rpc, held, failing, well)
        failing.fails = [KeyError("x"), KeyError("x"), ValueError("y")]
        await heads.look()
        chain.mine(2)
        await heads.look()
    assert well.numbers == [9, 10, 11]
    assert [(one.component, one.kind) for one in journaled(tmp_path, ev.ErrorOccurred)] == [
        ("evm diary", "KeyError"),
        ("evm diary", "ValueError"),
    ]


BLOCKS: dict[str, Any] = {
    "null": None,
    "text": "0x5",
    "a list": [],
    "no hash": {"hash": None},
    "a short hash": {"hash": "0x12"},
    "no parent": {"parentHash": 7},
    "no number": {"number": None},
    "a decimal number": {"number": 9},
    "another number": {"number": "0x63"},
    "a huge number": {"number": "0x" + "f" * 64},
    "no time": {"timestamp": "soon"},
    "an endless time": {"timestamp": "0x" + "f" * 64},
}


@pytest.mark.parametrize("case", BLOCKS)
async def test_an_endpoint_that_tells_no_block_is_left_for_the_next(
    chain: Chain, node: Node, tmp_path: Path, case: str
) -> None:
    wrong = BLOCKS[case]
    chain.mine(9)

    def garble(method: str, found: Any) -> Any:
        if method != "eth_getBlockByNumber":
            return found
        return {**found, **wrong} if isinstance(wrong, dict) else wrong

    with evm_node.running(chain) as other:
        async with asking(tmp_path, node.url, other.url) as (rpc, held):
            heads = following(rpc, held)
            node.garble = garble
            if case == "another number":
                node.garble = lambda method, found: found
                await heads.look()
                chain.mine(2)
                node.garble = lambda method, found: (
                    {**found, **wrong} if method == "eth_getBlockByNumber" and found["number"] == "0x13" else found
                )
            await heads.look()
            assert held.health.failures == {"garbage": 1}
            assert blocks(tmp_path)[-1] == told(chain, len(chain.blocks) - 1)[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"transactions": None, "gasUsed": 5, "gasLimit": "0x" + "f" * 64, "baseFeePerGas": "cheap"},
        {"transactions": ["0x1", {}], "gasUsed": None},
    ],
)
async def test_what_is_odd_about_a_block_is_left_out(chain: Chain, node: Node, tmp_path: Path, odd: Any) -> None:
    node.garble = lambda method, found: {**found, **odd} if method == "eth_getBlockByNumber" else found
    diary = Diary()
    async with asking(tmp_path, node.url) as (rpc, held):
        await following(rpc, held, diary).look()
    (head,) = diary.heads
    assert (head.transactions, head.gas_used) == (None, None)
    assert len(blocks(tmp_path)) == 1
