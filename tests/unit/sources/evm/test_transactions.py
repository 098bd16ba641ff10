"""The watched wallets' transactions: each told once, with what it cost and why it failed."""

from __future__ import annotations

import pytest

from deskwatch.events import LogRecorded, TransactionConfirmed, TransactionReverted, TransactionSent, WalletObserved
from deskwatch.sources.evm import transactions
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.outcomes import Untold
from deskwatch.sources.evm.settings import Purpose, Wallet
from tests.fakes.evm_chain import GENESIS_SECONDS, FakeChain
from tests.unit.sources.evm.watching import USDC, Watching, hold, pair
from tests.unit.sources.evm.words import ALICE, BOB, SWAP, error_string, selector, transaction


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


async def test_what_was_sent_before_the_watch_began_is_not_told(chain: FakeChain):
    chain.mine(transaction(ALICE, 0))
    watching = Watching(chain)
    await watching.look()
    assert watching.told(TransactionSent) == []
    assert [one.nonce for one in watching.told(WalletObserved)] == [1]


async def test_a_mined_transaction_is_told_with_its_receipts_figures(chain: FakeChain):
    watching = Watching(chain, asset="MATIC")
    await watching.look()
    chain.mine(transaction(BOB, 0), one := transaction(ALICE, 0))
    await watching.look()
    (sent,), (confirmed,) = watching.told(TransactionSent), watching.told(TransactionConfirmed)
    assert (sent.transaction, sent.sender, sent.nonce, sent.purpose) == (one["hash"], ALICE, 0, "swap")
    assert (sent.gas_limit, sent.max_fee_wei) == (400_000, "3000000000")
    assert (confirmed.transaction, confirmed.block, confirmed.gas_used) == (one["hash"], 1, 21_000)
    assert confirmed.gas_price_wei == str(10**9 + 1)
    assert confirmed.gas_cost == pytest.approx(21_000 * (10**9 + 1) / 10**18, rel=1e-15)
    assert (confirmed.asset, confirmed.again, confirmed.inclusion_seconds) == ("MATIC", False, None)
    assert confirmed.happened_timestamp_seconds == sent.happened_timestamp_seconds == GENESIS_SECONDS + 12


async def test_a_rollups_own_fee_and_blobs_are_part_of_the_cost(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    chain.receipts[one["hash"]] |= {"l1Fee": hex(5 * 10**14), "blobGasUsed": hex(2), "blobGasPrice": hex(10**13)}
    await watching.look()
    gas = 21_000 * (10**9 + 1)
    assert watching.told(TransactionConfirmed)[0].gas_cost == pytest.approx((gas + 52 * 10**13) / 10**18, rel=1e-15)


async def test_a_receipt_of_old_kind_costs_what_its_transaction_offered(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0, maxFeePerGas=None, gasPrice=hex(7 * 10**9)))
    del chain.receipts[one["hash"]]["effectiveGasPrice"]
    await watching.look()
    assert watching.told(TransactionConfirmed)[0].gas_price_wei == str(7 * 10**9)
    assert watching.told(TransactionSent)[0].max_fee_wei == str(7 * 10**9)


async def test_gas_is_told_in_the_quote_of_a_pool_as_of_its_block(chain: FakeChain):
    watching = Watching(chain, pools=(pair(chain),))
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    hold(chain, 100 * 10**18, 400_000 * 10**6)
    await watching.look()
    (confirmed,) = watching.told(TransactionConfirmed)
    assert confirmed.quote_asset == "USDC"
    assert confirmed.gas_cost_quote == pytest.approx(confirmed.gas_cost * 4000)  # type: ignore[operator]


async def test_a_pool_with_the_coin_as_quote_tells_its_price_too(chain: FakeChain):
    pool = pair(chain)
    watching = Watching(chain, pools=(type(pool)(name="uni", address=pool.address, base=USDC),))
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    await watching.look()
    (confirmed,) = watching.told(TransactionConfirmed)
    assert confirmed.gas_cost_quote == pytest.approx(confirmed.gas_cost * 3000)  # type: ignore[operator]


async def test_an_idle_wallet_costs_no_look_at_blocks(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    for _ in range(5):
        chain.mine(transaction(BOB, chain.height))
        await watching.look()
    assert chain.asked["eth_getBlockByNumber"] == chain.asked["eth_getTransactionReceipt"] == 0
    assert chain.batches == 6


async def test_a_revert_is_told_with_its_reason_and_words(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    data = error_string("UniswapV2Router: EXPIRED")
    chain.replays = {"": RpcError(3, "execution reverted: UniswapV2Router: EXPIRED", data)}
    chain.mine(transaction(ALICE, 0), fails=True)
    await watching.look()
    (reverted,) = watching.told(TransactionReverted)
    assert (reverted.reason, reverted.message) == ("expired", "UniswapV2Router: EXPIRED")
    assert reverted.gas_cost > 0  # type: ignore[operator]
    assert watching.told(TransactionConfirmed) == []


async def test_a_revert_is_replayed_before_its_block_where_it_succeeds_after(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.replays = {"0x0": RpcError(3, "execution reverted: EXPIRED")}
    chain.mine(transaction(ALICE, 0), fails=True)
    await watching.look()
    assert watching.told(TransactionReverted)[0].reason == "expired"


@pytest.mark.parametrize(
    ("change", "replay", "reason"),
    [
        ({}, "0x", "unknown"),
        ({}, RpcError(-32000, "missing trie node"), "unknown"),
        ({"gasUsed": hex(400_000)}, "0x", "out_of_gas"),
        ({"revertReason": error_string("UniswapV2: K")}, RpcError(3, "execution reverted: EXPIRED"), "slippage"),
    ],
)
async def test_a_revert_without_a_replay_is_told_truthfully(
    chain: FakeChain, change: dict[str, str], replay: object, reason: str
):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0), fails=True)
    chain.receipts[one["hash"]] |= change
    chain.replays = {"": replay}
    await watching.look()
    (reverted,) = watching.told(TransactionReverted)
    assert reverted.reason == reason
    assert reverted.message


async def test_a_transaction_seen_waiting_is_told_at_once_and_with_its_inclusion(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.waiting = [transaction(BOB, 0), one := transaction(ALICE, 0)]
    chain.mine()
    await watching.look()
    assert [sent.transaction for sent in watching.told(TransactionSent)] == [one["hash"]]
    assert watching.told(TransactionSent)[0].happened_timestamp_seconds is None
    assert [seen.pending for seen in watching.told(WalletObserved)] == [0, 1]
    chain.mine(one)
    await watching.look()
    assert len(watching.told(TransactionSent)) == 1
    assert watching.told(TransactionConfirmed)[0].inclusion_seconds == 0.0
    """Its block's time is long before it was seen: a chain's clock may be anything."""


async def test_a_node_that_shows_nothing_of_what_waits_is_asked_only_when_something_changed(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.waiting = [transaction(ALICE, 0)]
    chain.refused = {"eth_getBlockByNumber"}
    for _ in range(4):
        chain.mine()
        await watching.look()
    assert chain.asked["eth_getBlockByNumber"] == 1
    assert watching.told(WalletObserved)[-1].pending == 1


async def test_transactions_of_several_wallets_come_in_the_chains_order(chain: FakeChain):
    watching = Watching(chain, wallets=(Wallet(name="a", address=ALICE), Wallet(name="b", address=BOB)))
    await watching.look()
    chain.mine(transaction(BOB, 0), transaction(ALICE, 0), transaction(BOB, 1))
    chain.mine(transaction(ALICE, 1))
    await watching.look()
    assert [(one.sender, one.nonce) for one in watching.told(TransactionSent)] == [
        (BOB, 0),
        (ALICE, 0),
        (BOB, 1),
        (ALICE, 1),
    ]


async def test_purposes_of_the_settings_are_what_is_told(chain: FakeChain):
    watching = Watching(chain, purposes=(Purpose(function=SWAP, word="arbitrage"),))
    await watching.look()
    chain.mine(transaction(ALICE, 0), transaction(ALICE, 1, to=None), transaction(ALICE, 2, data=selector("odd()")))
    await watching.look()
    assert [one.purpose for one in watching.told(TransactionConfirmed)] == ["arbitrage", "create", "call"]


async def test_transactions_that_the_bot_journals_itself_can_be_left_to_it(chain: FakeChain):
    watching = Watching(chain, transactions=False)
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    await watching.look()
    assert watching.told(TransactionSent) == []
    assert watching.told(TransactionConfirmed) == []
    assert [one.nonce for one in watching.told(WalletObserved)] == [0, 1]


@pytest.mark.parametrize("lack", ["eth_getTransactionReceipt", "eth_getBlockByNumber"])
async def test_what_a_node_does_not_know_yet_is_told_at_a_later_head(chain: FakeChain, lack: str):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    chain.refused = {lack}
    await watching.look()
    assert watching.told(TransactionSent) == []
    assert [log.levelname for log in watching.told(LogRecorded)] == ["WARNING"]
    chain.refused = set()
    chain.mine()
    await watching.look()
    assert [told.transaction for told in watching.told(TransactionConfirmed)] == [one["hash"]]
    assert [log.levelname for log in watching.told(LogRecorded)] == ["WARNING", "INFO"]


async def test_what_the_journal_does_not_take_is_told_later(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    watching.journal.is_full = True
    with pytest.raises(Untold):
        await watching.look()
    watching.journal.is_full = False
    chain.mine()
    await watching.look()
    assert len(watching.told(TransactionSent)) == len(watching.told(TransactionConfirmed)) == 1


@pytest.mark.parametrize(
    "change",
    [{"gasUsed": None}, {"gasUsed": hex(2**64)}, {"gasUsed": [1]}, {"effectiveGasPrice": "many"}],
)
async def test_a_garbled_receipt_tells_nothing_and_is_asked_again(chain: FakeChain, change: dict[str, object]):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    good = dict(chain.receipts[one["hash"]])
    chain.receipts[one["hash"]] |= change
    await watching.look()
    assert "expected" in watching.told(LogRecorded)[0].message
    assert watching.told(TransactionConfirmed) == []
    chain.receipts[one["hash"]] = good
    chain.mine()
    await watching.look()
    assert len(watching.told(TransactionConfirmed)) == 1


@pytest.mark.parametrize(
    "change",
    [{"from": "\x1b" * 99, "to": 7}, {"input": "0xzz", "value": None}, {"from": ALICE.upper().replace("0X", "0x")}],
)
async def test_a_transaction_of_odd_values_is_told_as_far_as_it_can_be(chain: FakeChain, change: dict[str, object]):
    watching = Watching(chain)
    await watching.look()
    chain.mine(transaction(ALICE, 0), {**transaction(BOB, 0), **change})
    await watching.look()
    assert watching.told(TransactionConfirmed)[0].sender == ALICE


async def test_a_receipt_of_another_branch_is_not_believed(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    chain.receipts[one["hash"]]["blockHash"] = "0x" + "00" * 32
    await watching.look()
    assert watching.told(TransactionSent) == []


async def test_a_block_of_another_branch_is_not_believed(chain: FakeChain):
    """A node behind a load balancer that has not heard of the branch that is followed."""
    watching = Watching(chain)
    await watching.look()
    chain.mine()
    await watching.look()
    followed = chain.blocks[1]
    chain.unmine(1)
    chain.mine(transaction(ALICE, 0))
    head = chain.head()
    chain.mine()
    watching.journal.events.clear()
    for part in watching.parts:
        await part.at_head(chain.head())
    assert head.hash != followed["hash"]
    assert watching.told(TransactionSent) == []
    assert "is of another branch" in watching.told(LogRecorded)[0].message


async def test_what_can_not_be_read_for_long_is_told_as_missing_and_the_watch_goes_on(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0), transaction(ALICE, 1))
    forgotten = chain.receipts.pop(one["hash"])
    await watching.look()
    assert watching.told(WalletObserved)[-1].nonce == 0
    monkeypatch.setattr(transactions, "PATIENCE_SECONDS", 0.0)
    await watching.look()
    assert watching.told(LogRecorded)[-1].message.startswith(
        "up to 2 transactions of wallet hot in blocks 1 to 1 are not told: a receipt of block 1"
    )
    assert watching.told(WalletObserved)[-1].nonce == 2
    chain.receipts[one["hash"]] = forgotten
    chain.mine(transaction(ALICE, 2))
    await watching.look()
    assert [told.nonce for told in watching.told(TransactionSent)] == [2]


async def test_a_node_that_shows_its_newest_block_as_the_pending_one_has_nothing_told_twice(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(one := transaction(ALICE, 0))
    chain.waiting = [one, transaction(BOB, 0), other := transaction(ALICE, 1)]
    await watching.look()
    assert [told.transaction for told in watching.told(TransactionSent)] == [one["hash"], other["hash"]]


async def test_patience_begins_anew_with_each_trouble(chain: FakeChain, monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr("deskwatch.sources.evm.transactions.time.monotonic", lambda: clock[0])
    watching = Watching(chain)
    await watching.look()
    for nonce in range(2):
        chain.mine(transaction(ALICE, nonce))
        chain.refused = {"eth_getTransactionReceipt"}
        await watching.look()
        clock[0] += transactions.PATIENCE_SECONDS * 0.7
        await watching.look()
        chain.refused = set()
        await watching.look()
    assert [told.nonce for told in watching.told(TransactionSent)] == [0, 1]


async def test_a_pool_without_reserves_tells_no_price_of_gas(chain: FakeChain):
    watching = Watching(chain, pools=(pair(chain, 0, 0),))
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    await watching.look()
    (confirmed,) = watching.told(TransactionConfirmed)
    assert (confirmed.gas_cost_quote, confirmed.quote_asset) == (None, None)
