"""Reorgs: what was told as mined is looked for again, and counted once."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import (
    Event,
    LogRecorded,
    TransactionConfirmed,
    TransactionDropped,
    TransactionReverted,
    TransactionSent,
    WalletObserved,
)
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.transactions import PATIENCE_SECONDS
from tests.fakes.evm_chain import FakeChain
from tests.unit.projections.folding import fold, value
from tests.unit.sources.evm.watching import Watching
from tests.unit.sources.evm.words import ALICE, transaction


@pytest.fixture
def chain() -> FakeChain:
    chain = FakeChain()
    chain.mine()
    return chain


def counted(watching: Watching, name: str, **labels: Any) -> float | None:
    """A metric of the whole journal."""
    events: list[Event] = watching.journal.events
    return value(fold(*events), f"tradebot_{name}", **labels)


async def mined(chain: FakeChain, *transactions: dict[str, Any]) -> Watching:
    """A watch that has seen these mined, and a block after."""
    watching = Watching(chain)
    await watching.look()
    chain.mine(*transactions)
    await watching.look()
    chain.mine()
    await watching.look()
    return watching


async def test_what_is_mined_anew_in_another_block_is_told_anew_and_counted_once(chain: FakeChain):
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine()
    chain.mine(one)
    chain.mine()
    await watching.look()
    assert watching.told(TransactionDropped) == []
    first, again = watching.told(TransactionConfirmed)
    assert (first.again, first.block) == (False, 2)
    assert (again.again, again.block, again.gas_price_wei) == (True, 3, str(10**9 + 3))
    assert len(watching.told(TransactionSent)) == 1
    assert counted(watching, "transactions_confirmed_total", kind="swap") == 1
    assert counted(watching, "gas_used_total") == 21_000
    assert counted(watching, "transactions_pending") == 0


async def test_what_waits_again_is_told_as_dropped_and_then_once_more(chain: FakeChain):
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine()
    await watching.look()
    (dropped,) = watching.told(TransactionDropped)
    assert (dropped.transaction, dropped.nonce, dropped.reason, dropped.block) == (one["hash"], 0, "reorganized", 2)
    assert counted(watching, "transactions_pending") == 1
    assert [seen.nonce for seen in watching.told(WalletObserved)] == [0, 1, 0]
    chain.mine(one)
    await watching.look()
    assert watching.told(TransactionConfirmed)[-1].again
    assert counted(watching, "transactions_confirmed_total", kind="swap") == 1
    assert counted(watching, "transactions_dropped_total", reason="reorganized") == 1
    assert counted(watching, "transactions_pending") == 0


async def test_what_fails_in_the_other_branch_is_told_as_a_revert(chain: FakeChain):
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine(one, fails=True)
    chain.mine()
    await watching.look()
    assert [each.reason for each in watching.told(TransactionDropped)] == ["reorganized"]
    assert [each.again for each in watching.told(TransactionReverted)] == [False]
    assert counted(watching, "transactions_pending") == 0


async def test_what_another_one_replaces_is_told_as_replaced(chain: FakeChain):
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine()
    await watching.look()
    chain.mine(other := transaction(ALICE, 0, gas=hex(500_000)))
    await watching.look()
    assert [each.reason for each in watching.told(TransactionDropped)] == ["reorganized", "replaced"]
    assert watching.told(TransactionDropped)[-1].transaction == one["hash"]
    assert [each.transaction for each in watching.told(TransactionConfirmed)] == [one["hash"], other["hash"]]
    assert counted(watching, "transactions_pending") == 0


async def test_what_only_the_new_branch_holds_is_told(chain: FakeChain):
    """The wallet was looked at as of a block that was left, and nothing had happened there."""
    watching = await mined(chain)
    await watching.reorganize(2)
    chain.mine(transaction(ALICE, 0))
    chain.mine(transaction(ALICE, 1))
    await watching.look()
    assert [each.nonce for each in watching.told(TransactionSent)] == [0, 1]


async def test_what_is_in_the_same_block_as_before_is_not_told_again(chain: FakeChain):
    watching = await mined(chain, transaction(ALICE, 0))
    await watching.reorganize(1)
    chain.mine()
    chain.mine()
    before = len(watching.told(TransactionConfirmed))
    await watching.look()
    assert len(watching.told(TransactionConfirmed)) == before == 1
    assert watching.told(TransactionDropped) == []


async def test_a_reorg_that_was_told_before_a_crash_is_settled_after_it(chain: FakeChain):
    before = await mined(chain, one := transaction(ALICE, 0))
    await before.reorganize(2)
    memory = EvmMemory()
    for event in before.journal.events:
        memory.fold(event)
    after = Watching(chain, memory)
    chain.mine()
    await after.look()
    assert [each.transaction for each in after.told(TransactionDropped)] == [one["hash"]]


async def test_a_chain_that_began_anew_takes_back_what_was_told(chain: FakeChain):
    watching = await mined(chain, transaction(ALICE, 0), transaction(ALICE, 1))
    other = FakeChain()
    watching.chain.blocks[:] = other.blocks
    chain.receipts.clear()
    await watching.look()
    assert [each.reason for each in watching.told(TransactionDropped)] == ["reorganized"] * 2
    assert watching.told(WalletObserved)[-1].nonce == 0
    chain.mine(new := transaction(ALICE, 0, gas=hex(77_777)))
    await watching.look()
    assert watching.told(TransactionConfirmed)[-1].transaction == new["hash"]


async def test_a_waiting_transaction_that_another_one_replaces_waits_no_more(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.waiting = [slow := transaction(ALICE, 0)]
    chain.mine()
    await watching.look()
    chain.waiting = []
    chain.mine(fast := transaction(ALICE, 0, maxFeePerGas=hex(9 * 10**9)))
    await watching.look()
    (dropped,) = watching.told(TransactionDropped)
    assert (dropped.transaction, dropped.reason, dropped.block) == (slow["hash"], "replaced", None)
    assert watching.told(TransactionConfirmed)[0].transaction == fast["hash"]
    assert counted(watching, "transactions_pending") == 0
    assert counted(watching, "transactions_sent_total", kind="swap") == 2


async def test_what_is_mined_anew_at_the_same_place_is_not_told_again_nor_looked_for_again(chain: FakeChain):
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine(one)
    chain.mine()
    await watching.look()
    assert len(watching.told(TransactionConfirmed)) == 1
    chain.asked.clear()
    chain.mine()
    await watching.look()
    assert chain.asked["eth_getTransactionReceipt"] == 0


async def test_what_takes_the_place_of_another_at_once_is_told(chain: FakeChain):
    """The wallet's nonce is the same before and after: the reorg says from where on it is to be read anew."""
    watching = await mined(chain, one := transaction(ALICE, 0))
    await watching.reorganize(2)
    chain.mine(other := transaction(ALICE, 0, gas=hex(500_000)))
    chain.mine()
    await watching.look()
    assert [each.transaction for each in watching.told(TransactionConfirmed)] == [one["hash"], other["hash"]]
    assert [each.reason for each in watching.told(TransactionDropped)] == ["reorganized", "replaced"]
    chain.mine()
    await watching.look()
    assert len(watching.told(TransactionDropped)) == 2


async def test_a_receipt_of_the_branch_that_was_left_is_not_believed(chain: FakeChain):
    """As a node tells that has not heard of the reorg."""
    watching = await mined(chain, one := transaction(ALICE, 0))
    old, receipt = chain.blocks[2], chain.receipts[one["hash"]]
    await watching.reorganize(2)
    chain.mine()
    chain.mine()
    await watching.look()
    dropped = len(watching.told(TransactionDropped))
    watching.memory.ledger.doubtful = [one["hash"]]
    chain.blocks[2] = {**old, "hash": chain.blocks[2]["hash"]}
    chain.receipts[one["hash"]] = receipt
    chain.mine()
    await watching.look()
    assert "is of another branch" in watching.told(LogRecorded)[0].message
    assert dropped == len(watching.told(TransactionDropped)) == 1
    assert len(watching.told(TransactionConfirmed)) == 1


async def test_the_newest_block_as_the_branch_that_was_left_had_it_is_not_believed(chain: FakeChain):
    """A node behind a load balancer may not know yet that it was left; what failed since then must be told."""
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    await watching.look()
    left, receipt = chain.blocks[-1], chain.receipts[one["hash"]]
    await watching.reorganize(1)
    chain.mine()
    head, chain.blocks[-1], chain.receipts[one["hash"]] = chain.head(), left, receipt
    for part in watching.parts:
        await part.at_head(head)  # all that it asks is answered by the other branch
    assert watching.memory.ledger.doubtful == [one["hash"]], "it is still to be looked for"
    assert [seen.block for seen in watching.told(WalletObserved)] == [1, 2]


async def test_a_chain_that_began_anew_is_read_from_its_beginning(chain: FakeChain):
    """The wallet had sent nothing, so nothing tells but the chain's height."""
    watching = await mined(chain)
    del chain.blocks[1:]
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    await watching.look()
    assert [each.nonce for each in watching.told(TransactionSent)] == [0]


async def test_what_the_node_has_not_known_for_long_is_told_as_forgotten(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    clock = [0.0]
    monkeypatch.setattr("deskwatch.sources.evm.transactions.time.monotonic", lambda: clock[0])
    watching = Watching(chain)
    chain.waiting = [one := transaction(ALICE, 0)]
    await watching.look()
    clock[0] += 2 * PATIENCE_SECONDS
    await watching.look()
    chain.waiting = []
    await watching.look()
    clock[0] += PATIENCE_SECONDS / 2
    await watching.look()
    assert counted(watching, "transactions_pending") == 1
    clock[0] += PATIENCE_SECONDS / 2
    await watching.look()
    assert [each.reason for each in watching.told(TransactionDropped)] == ["forgotten"]
    assert counted(watching, "transactions_pending") == 0
    chain.mine(one)
    await watching.look()
    assert [each.transaction for each in watching.told(TransactionSent)] == [one["hash"]]
    assert [each.again for each in watching.told(TransactionConfirmed)] == [False]
    assert counted(watching, "transactions_confirmed_total", kind="swap") == 1
