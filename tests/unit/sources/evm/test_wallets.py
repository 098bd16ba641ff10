"""Wallets: what they hold, what waits, and how long their coin lasts."""

from __future__ import annotations

import pytest

from deskwatch.events import BalanceObserved, LogRecorded, TransactionConfirmed, WalletObserved
from deskwatch.sources.evm import wallets
from deskwatch.sources.evm.settings import Wallet
from tests.fakes.evm_chain import FakeChain
from tests.unit.projections.folding import fold, value
from tests.unit.sources.evm.watching import USDC, USDC_TOKEN, Watching, token
from tests.unit.sources.evm.words import ALICE, BOB, returned, selector, transaction

BALANCE = (USDC, selector("balanceOf(address)"))


@pytest.fixture
def chain() -> FakeChain:
    chain = FakeChain()
    chain.balances[ALICE] = 2 * 10**18
    chain.views[BALANCE] = returned(["uint256"], 1_500_000)
    return chain


def balances(watching: Watching) -> list[tuple[str, str, float | None]]:
    return [(one.venue, one.asset, one.total) for one in watching.told(BalanceObserved)]


async def test_a_wallets_coin_and_tokens_are_told_in_whole_units(chain: FakeChain):
    watching = Watching(chain, tokens=(USDC_TOKEN,))
    await watching.look()
    assert balances(watching) == [("hot", "ETH", 2.0), ("hot", "USDC", 1.5)]


async def test_a_balance_is_told_when_it_changed_and_not_else(chain: FakeChain):
    watching = Watching(chain, tokens=(USDC_TOKEN,))
    await watching.look()
    await watching.look()
    chain.balances[ALICE] = 10**18
    await watching.look()
    assert balances(watching)[2:] == [("hot", "ETH", 1.0)]
    assert len(watching.told(WalletObserved)) == 1


async def test_what_did_not_change_is_told_again_after_a_while(chain: FakeChain):
    watching = Watching(chain, observe_seconds=1e-9)
    await watching.look()
    await watching.look()
    assert len(watching.told(BalanceObserved)) == len(watching.told(WalletObserved)) == 2


async def test_everything_of_a_head_is_asked_in_one_batch(chain: FakeChain):
    watching = Watching(
        chain, tokens=(USDC_TOKEN,), wallets=(Wallet(name="a", address=ALICE), Wallet(name="b", address=BOB))
    )
    await watching.look()
    assert chain.batches == 1


async def test_a_head_that_is_not_the_newest_asks_for_nothing(chain: FakeChain):
    watching = Watching(chain)
    for part in watching.parts:
        await part.at_head(chain.head(is_newest=False))
    assert chain.batches == 0


async def test_decimals_are_asked_of_the_token_where_the_settings_have_none(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wallets, "RETRY_SECONDS", 0.0)
    watching = Watching(chain, tokens=(type(USDC_TOKEN)(symbol="USDC", address=USDC),))
    await watching.look()
    assert balances(watching) == [("hot", "ETH", 2.0)]
    assert "token USDC: it does not tell its decimals" in watching.told(LogRecorded)[0].message
    token(chain, USDC, None, 6)
    await watching.look()
    assert balances(watching)[1:] == [("hot", "USDC", 1.5)]


async def test_what_can_not_be_read_is_told_once_and_the_rest_goes_on(chain: FakeChain):
    chain.views[BALANCE] = "0x"
    chain.refused = {"eth_getBalance"}
    watching = Watching(chain, tokens=(USDC_TOKEN,))
    await watching.look()
    await watching.look()
    assert [log.message.partition(":")[0] for log in watching.told(LogRecorded)] == [
        "the balance of wallet hot",
        "USDC of wallet hot",
    ]
    assert [one.nonce for one in watching.told(WalletObserved)] == [0]


async def test_a_wallet_whose_nonce_can_not_be_read_is_not_told_of(chain: FakeChain):
    chain.refused = {"eth_getTransactionCount"}
    watching = Watching(chain)
    await watching.look()
    assert watching.told(WalletObserved) == []
    assert len(watching.told(BalanceObserved)) == 1


async def test_a_nonce_that_can_be_none_is_not_told_and_hides_no_transaction():
    """The journal's readers take none beyond 63 bits, and a lower one after it would look like a chain begun anew."""

    class Odd(FakeChain):
        is_odd = False

        def _getTransactionCount(self, address: str, at: str) -> object:  # noqa: N802  the method's name
            return hex(2**200) if self.is_odd else super()._getTransactionCount(address, at)

    odd = Odd()
    watching = Watching(odd)
    await watching.look()
    odd.is_odd = True
    odd.mine()
    await watching.look()
    odd.is_odd = False
    odd.mine(transaction(ALICE, 0))
    await watching.look()
    assert [told.nonce for told in watching.told(WalletObserved)] == [0, 1]
    assert len(watching.told(TransactionConfirmed)) == 1


async def test_the_gap_between_nonces_is_what_waits(chain: FakeChain):
    chain.waiting = [transaction(ALICE, 0), transaction(ALICE, 1)]
    watching = Watching(chain)
    await watching.look()
    (told,) = watching.told(WalletObserved)
    assert (told.nonce, told.pending, told.address) == (0, 2, ALICE)
    assert value(fold(told), "tradebot_wallet_pending_transactions", venue="hot", chain="c") == 2


async def test_how_many_transactions_are_left_is_told_by_what_they_usually_cost(chain: FakeChain):
    watching = Watching(chain)
    await watching.look()
    chain.mine(transaction(ALICE, 0), transaction(ALICE, 1), one := transaction(ALICE, 2))
    chain.receipts[one["hash"]]["gasUsed"] = hex(10**9)
    await watching.look()
    first, told = watching.told(WalletObserved)
    assert first.transactions_left is None
    assert told.transactions_left == pytest.approx(2 * 10**18 / (21_000 * (10**9 + 1)))
    """The median: one that cost fifty thousand times as much says nothing of the next."""
    assert value(fold(told), "tradebot_wallet_transactions_left", venue="hot") == told.transactions_left


async def test_a_node_whose_pending_nonce_lags_shows_nothing_that_waits(chain: FakeChain):
    class Lagging(FakeChain):
        def _getTransactionCount(self, address: str, at: str) -> object:  # noqa: N802  the method's name
            return "0x0" if at == "pending" else super()._getTransactionCount(address, at)

    lagging = Lagging()
    lagging.mine(transaction(ALICE, 0))
    watching = Watching(lagging)
    await watching.look()
    assert [(told.nonce, told.pending) for told in watching.told(WalletObserved)] == [(1, 0)]


async def test_what_is_no_token_is_asked_again_now_and_then_only(chain: FakeChain):
    watching = Watching(chain, tokens=(type(USDC_TOKEN)(symbol="USDC", address=USDC),))
    await watching.look()
    before = chain.batches
    await watching.look()
    assert chain.batches == before + 1
