"""What waits of a wallet or a chain that the settings no longer name waits no longer: it would for ever."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import TransactionConfirmed, TransactionDropped, TransactionSent
from deskwatch.sources.evm.settings import Wallet
from tests.fakes.evm_chain import FakeChain
from tests.unit.sources.evm.watching import Watching
from tests.unit.sources.evm.words import ALICE, BOB, transaction

BOTH = (Wallet(name="hot", address=ALICE), Wallet(name="cold", address=BOB))


@pytest.fixture
async def before() -> Watching:
    """A watch of two wallets, of each of which a transaction waits."""
    watching = Watching(FakeChain(), wallets=BOTH)
    await watching.look()
    watching.chain.waiting += [transaction(ALICE, 0), transaction(BOB, 0)]
    watching.chain.mine()
    await watching.look()
    assert len(watching.told(TransactionSent)) == 2
    return watching


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"wallets": BOTH}, set()),
        ({"wallets": BOTH[:1]}, {BOB}),
        ({"wallets": ()}, {ALICE, BOB}),
        ({"wallets": BOTH, "transactions": False}, {ALICE, BOB}),
        ({"wallets": BOTH, "chain": "another"}, {ALICE, BOB}),
    ],
    ids=["the same", "a wallet less", "no wallet", "no transactions", "another chain"],
)
async def test_it_is_told_once_of_what_is_no_longer_watched(
    before: Watching, settings: dict[str, Any], left: set[str]
) -> None:
    after = Watching(before.chain, before.memory, **settings)
    dropped = after.told(TransactionDropped)
    assert {one.sender for one in dropped} == left
    assert {(one.chain, one.reason, one.nonce) for one in dropped} <= {("c", "unwatched", 0)}
    assert Watching(before.chain, before.memory, **settings).told(TransactionDropped) == []


async def test_one_that_is_watched_again_is_not_told_as_sent_twice(before: Watching) -> None:
    Watching(before.chain, before.memory, wallets=BOTH[:1])
    again = Watching(before.chain, before.memory, wallets=BOTH)
    before.chain.mine(*before.chain.waiting)
    before.chain.waiting.clear()
    await again.look()
    assert again.told(TransactionSent) == []
    assert {one.sender for one in again.told(TransactionConfirmed)} == {ALICE, BOB}
