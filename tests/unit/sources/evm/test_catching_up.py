"""After an outage or a restart: nothing twice, nothing lost but in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import (
    BalanceObserved,
    BlockObserved,
    LogRecorded,
    TransactionConfirmed,
    TransactionSent,
    WalletObserved,
)
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.search import MOST_SPANS, Span, newest_blocks, rises
from deskwatch.sources.evm.settings import Wallet
from tests.fakes.evm_chain import FakeChain
from tests.unit.sources.evm.watching import Watching
from tests.unit.sources.evm.words import ALICE, BOB, transaction


def busy(chain: FakeChain, blocks: int, at: dict[int, int]) -> None:
    """Mine blocks; `at` has how many of Alice's each place holds."""
    nonce = sum(one["from"] == ALICE for block in chain.blocks for one in block["transactions"])
    for place in range(blocks):
        count = at.get(place, 0)
        chain.mine(transaction(BOB, chain.height), *(transaction(ALICE, nonce + extra) for extra in range(count)))
        nonce += count


def nonces(watching: Watching) -> list[int]:
    return [one.nonce for one in watching.told(TransactionSent)]


async def test_what_was_mined_while_nobody_watched_is_found_with_few_questions():
    chain = FakeChain()
    watching = Watching(chain)
    await watching.look()
    busy(chain, 1000, {3: 1, 400: 2, 999: 1})
    chain.asked.clear()
    await watching.look()
    assert nonces(watching) == [0, 1, 2, 3]
    assert len(watching.told(TransactionConfirmed)) == 4
    assert chain.asked["eth_getBlockByNumber"] == 3
    assert chain.asked["eth_getTransactionCount"] < 40
    assert watching.told(LogRecorded) == []


async def test_a_node_that_forgot_has_its_blocks_read_up_to_a_bound_and_the_rest_told_in_words():
    chain = FakeChain()
    watching = Watching(chain, max_catch_up_blocks=20)
    await watching.look()
    busy(chain, 50, {3: 2, 10: 1, 45: 1})
    chain.forgotten = chain.height
    await watching.look()
    assert nonces(watching) == [3]
    (told,) = watching.told(LogRecorded)
    assert told.message.startswith("3 transactions of wallet hot in blocks 1 to 50 are not told: 30 blocks")
    busy(chain, 1, {0: 1})
    await watching.look()
    assert nonces(watching) == [3, 4]
    assert len(watching.told(LogRecorded)) == 1


async def test_a_node_that_forgot_within_the_bound_loses_nothing():
    chain = FakeChain()
    watching = Watching(chain)
    await watching.look()
    busy(chain, 50, {3: 2, 45: 1})
    chain.forgotten = chain.height - 9
    await watching.look()
    assert nonces(watching) == [0, 1, 2]
    assert watching.told(LogRecorded) == []


@pytest.mark.parametrize("cut", range(9))
async def test_a_watch_that_died_anywhere_goes_on_where_its_journal_ends(cut: int):
    """Its memory is what a new process folds of the journal, which ends after any event."""
    chain = FakeChain()
    before = Watching(chain)
    await before.look()
    busy(chain, 3, {0: 1, 2: 2})
    await before.look()
    memory = EvmMemory()
    kept = before.journal.events[: len(before.journal.events) - cut]
    for event in kept:
        memory.fold(event)
    after = Watching(chain, memory)
    busy(chain, 1, {})
    await after.look()
    told = [one for one in (*kept, *after.journal.events) if isinstance(one, TransactionSent)]
    mined = [one for one in (*kept, *after.journal.events) if isinstance(one, TransactionConfirmed)]
    assert any(isinstance(one, WalletObserved) for one in kept)
    assert sorted(one.nonce for one in told) == [0, 1, 2]
    assert len({one.transaction for one in mined}) == len(mined) == 3


def test_the_memory_can_be_kept_as_json():
    memory = EvmMemory()
    memory.fold(TransactionSent(chain="c", transaction="0x1", sender=ALICE, nonce=1))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(memory)), EvmMemory) == memory


@given(st.dictionaries(st.integers(0, 39), st.integers(1, 3), max_size=12), st.integers(0, 41))
async def test_the_blocks_of_an_accounts_transactions_are_all_found(at: dict[int, int], forgotten: int):
    chain = FakeChain()
    busy(chain, 40, at)
    chain.forgotten = forgotten
    total = sum(at.values())
    found = await rises(chain, ALICE, Span(0, 0, chain.height, total)) if total else []
    blocks = {number for one in found for number in range(one.after + 1, one.upto + 1)}
    assert {place + 1 for place in at} <= blocks
    if not forgotten:
        assert {place + 1 for place in at} == blocks
    assert sum(one.nonce_upto - one.nonce_after for one in found) == total


async def test_what_a_wallet_sent_before_it_was_watched_is_not_told_where_another_has_it_read():
    chain = FakeChain()
    chain.mine(transaction(ALICE, 0))
    memory = EvmMemory()
    for name, address, block, nonce in (("a", ALICE, 1, 1), ("b", BOB, 0, 0)):
        memory.fold(WalletObserved(chain="c", venue=name, address=address, block=block, nonce=nonce))
    watching = Watching(chain, memory, wallets=(Wallet(name="a", address=ALICE), Wallet(name="b", address=BOB)))
    chain.mine(transaction(ALICE, 1), transaction(BOB, 0))
    chain.forgotten = chain.height
    await watching.look()
    assert [(one.sender, one.nonce) for one in watching.told(TransactionSent)] == [(ALICE, 1), (BOB, 0)]


async def test_what_was_told_of_another_chain_says_nothing_of_this_one():
    """The same bot and wallet, first on a chain for trying, then on the one that counts."""
    test = FakeChain()
    before = Watching(test, chain="sepolia")
    await before.look()
    busy(test, 9, {0: 3, 8: 2})
    await before.look()
    assert len(before.told(TransactionConfirmed)) == 5
    main = FakeChain()
    busy(main, 3, {0: 1})
    after = Watching(main, before.memory, chain="ethereum")
    await after.look()
    busy(main, 1, {0: 1})
    await after.look()
    assert [type(one) for one in after.journal.events if not isinstance(one, BalanceObserved | BlockObserved)] == [
        WalletObserved,
        TransactionSent,
        TransactionConfirmed,
        WalletObserved,
    ]
    folded = EvmMemory()
    for event in (*before.journal.events, *after.journal.events):
        folded.fold(event)
    assert folded.ledger == after.memory.ledger


async def test_a_node_that_lies_of_old_nonces_has_the_blocks_read():
    class Liar(FakeChain):
        def _getTransactionCount(self, address: str, at: str) -> object:  # noqa: N802  the method's name
            true = super()._getTransactionCount(address, at)
            return hex(99) if self._number(at) < self.height else true

    chain = Liar()
    busy(chain, 8, {2: 1})
    assert await rises(chain, ALICE, Span(0, 0, 8, 1)) == [Span(0, 0, 8, 1)]


async def test_a_wallet_that_sends_in_every_block_has_its_blocks_read_in_place_of_its_nonces():
    chain = FakeChain()
    busy(chain, 300, dict.fromkeys(range(300), 1))
    chain.asked.clear()
    found = await rises(chain, ALICE, Span(0, 0, chain.height, 300))
    assert sum(one.blocks for one in found) == 300
    assert chain.asked["eth_getTransactionCount"] < 2 * MOST_SPANS


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=6).map(
        lambda some: [Span(after, 0, after + blocks, 1) for after, blocks in some]
    ),
    st.integers(1, 100),
)
def test_the_newest_blocks_of_spans_are_read_once_each_and_the_rest_is_counted(spans: list[Span], most: int):
    every = sorted({block for one in spans for block in range(one.after + 1, one.upto + 1)})
    assert newest_blocks(spans, most) == (every[-most:], max(len(every) - most, 0))


def test_a_span_of_a_year_takes_no_memory():
    found, unread = newest_blocks([Span(0, 0, 10**15, 1)], 300)
    assert (len(found), unread) == (300, 10**15 - 300)
