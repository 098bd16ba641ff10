"""Pools of the Uniswap V2 kind."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import LogRecorded, PoolObserved, TransactionConfirmed
from deskwatch.sources.evm import pools, tokens
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.settings import Pool, Token
from tests.fakes.evm_chain import FakeChain
from tests.unit.sources.evm.watching import PAIR, USDC, WETH, Watching, hold, pair, token
from tests.unit.sources.evm.words import ALICE, returned, selector, transaction


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


async def looked(chain: FakeChain, pool: Pool, **more: Any) -> Watching:
    watching = Watching(chain, wallets=(), pools=(pool,), **more)
    await watching.look()
    return watching


async def test_a_pool_is_told_with_its_reserves_price_and_liquidity(chain: FakeChain):
    (told,) = (await looked(chain, pair(chain))).told(PoolObserved)
    assert told == PoolObserved(
        venue="uni",
        symbol="WETH/USDC",
        chain="c",
        contract=PAIR,
        base_reserve=100.0,
        quote_reserve=300_000.0,
        base_asset="WETH",
        quote_asset="USDC",
        price=3000.0,
        liquidity=600_000.0,
        block=0,
    )


@pytest.mark.parametrize("base", ["USDC", "usdc", USDC, USDC.upper().replace("0X", "0x")])
async def test_the_base_is_the_configured_token(chain: FakeChain, base: str):
    (told,) = (await looked(chain, Pool(name="p", address=pair(chain).address, base=base))).told(PoolObserved)
    assert (told.symbol, told.base_reserve) == ("USDC/WETH", 300_000.0)
    assert told.price == pytest.approx(1 / 3000)


async def test_a_pool_is_told_when_it_changed_and_not_else(chain: FakeChain):
    watching = await looked(chain, pair(chain))
    await watching.look()
    assert len(watching.told(PoolObserved)) == 1
    hold(chain, 99 * 10**18, 303_000 * 10**6)
    chain.mine()
    await watching.look()
    assert [told.block for told in watching.told(PoolObserved)] == [0, 1]


async def test_an_unchanged_pool_is_told_again_after_a_while(chain: FakeChain):
    watching = await looked(chain, pair(chain), observe_seconds=1e-9)
    await watching.look()
    assert len(watching.told(PoolObserved)) == 2


async def test_an_unchanged_pool_is_told_again_before_its_price_looks_old(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    """With a block each 12 s and the usual settings: two of them, of the 60 s after which `BotPriceStale` fires."""
    clock = [1000.0]
    monkeypatch.setattr("deskwatch.sources.evm.reading.time.monotonic", lambda: clock[0])
    watching = await looked(chain, pair(chain))
    told = []
    for _ in range(5):
        clock[0] += 12
        chain.mine()
        await watching.look()
        told.append(len(watching.told(PoolObserved)))
    assert told == [1, 2, 2, 3, 3]


async def test_the_settings_symbols_go_before_the_chains(chain: FakeChain):
    pool = pair(chain)
    named = (Token(symbol="USDC.e", address=USDC),)
    (told,) = (await looked(chain, pool, tokens=named)).told(PoolObserved)
    assert told.symbol == "WETH/USDC.e"


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        (b"MKR".ljust(32, b"\0"), "MKR"),
        ("A\x1b[31m/B", "A__31m_B"),
        ("x" * 5000, "x" * tokens.MAX_SYMBOL),
        ("USD\u20ae", "USD_"),
        ("", WETH[:8]),
        (None, WETH[:8]),
    ],
)
async def test_whatever_a_token_calls_itself_becomes_a_short_harmless_label(
    chain: FakeChain, symbol: str | bytes | None, shown: str
):
    pool = pair(chain)
    chain.views.pop((WETH, selector("symbol()")))
    token(chain, WETH, symbol, 18)
    (told,) = (await looked(chain, pool)).told(PoolObserved)
    assert told.base_asset == shown


@pytest.mark.parametrize(("base", "quote"), [(0, 0), (10**18, 0), (0, 10**6)])
async def test_a_pool_of_which_a_side_is_empty_has_no_price(chain: FakeChain, base: int, quote: int):
    pool = pair(chain, base, quote)
    (told,) = (await looked(chain, pool)).told(PoolObserved)
    assert (told.price, told.liquidity) == (None, 2 * quote / 10**6)


@pytest.mark.parametrize(
    ("method", "answer", "words"),
    [
        ("token0()", "0x", "expected a pair of the Uniswap V2 kind"),
        ("token1()", RpcError(3, "execution reverted"), "expected a pair of the Uniswap V2 kind"),
        ("token0()", "0x" + "ff" * 32, "expected a pair of the Uniswap V2 kind"),
        ("getReserves()", "0x01", "the reserves of pool uni"),
        ("getReserves()", RpcError(-32000, "missing trie node"), "missing trie node"),
        ("getReserves()", None, "the reserves of pool uni"),
    ],
)
async def test_what_is_no_pool_is_told_once_in_words_and_heals(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch, method: str, answer: object, words: str
):
    monkeypatch.setattr(pools, "RETRY_SECONDS", 0.0)
    pool = pair(chain)
    key = (PAIR, selector(method))
    good, chain.views[key] = chain.views[key], answer
    watching = await looked(chain, pool)
    await watching.look()
    (told,) = watching.told(LogRecorded)
    assert words in told.message
    assert watching.told(PoolObserved) == []
    chain.views[key] = good
    await watching.look()
    assert len(watching.told(PoolObserved)) == 1
    assert watching.told(LogRecorded)[-1].levelname == "INFO"


async def test_a_token_that_is_none_is_told_in_words(chain: FakeChain):
    pool = pair(chain)
    chain.views[WETH, selector("decimals()")] = "0x"
    (told,) = (await looked(chain, pool)).told(LogRecorded)
    assert "does not tell its decimals" in told.message


async def test_a_base_that_the_pool_does_not_hold_is_told_with_what_it_holds(chain: FakeChain):
    pool = Pool(name="uni", address=pair(chain).address, base="DAI")
    (told,) = (await looked(chain, pool)).told(LogRecorded)
    assert "expected its base to be WETH or USDC, was DAI" in told.message


async def test_a_wrong_pool_keeps_no_other_from_being_read(chain: FakeChain):
    good, bad = pair(chain), Pool(name="bad", address="0x" + "bb" * 20)
    watching = Watching(chain, wallets=(), pools=(bad, good))
    await watching.look()
    assert [told.venue for told in watching.told(PoolObserved)] == ["uni"]


async def test_reserves_of_the_widest_kind_are_read(chain: FakeChain):
    pool = pair(chain)
    chain.views[PAIR, selector("getReserves()")] = returned(["uint112", "uint112", "uint32"], 2**112 - 1, 1, 2**32 - 1)
    (told,) = (await looked(chain, pool)).told(PoolObserved)
    assert told.base_reserve == (2**112 - 1) / 10**18


async def test_what_is_no_pool_is_asked_again_now_and_then_only(chain: FakeChain):
    watching = Watching(chain, wallets=(), pools=(Pool(name="bad", address="0x" + "bb" * 20), pair(chain)))
    await watching.look()
    before = chain.batches
    await watching.look()
    assert chain.batches == before + 1


async def test_gas_is_told_by_the_pool_that_is_named_first_whenever_it_could_be_read(
    chain: FakeChain, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pools, "RETRY_SECONDS", 0.0)
    second, first = pair(chain), Pool(name="first", address="0x" + "ff" * 20)
    watching = Watching(chain, pools=(first, second))
    await watching.look()
    for (address, method), answer in tuple(chain.views.items()):
        if address == PAIR:
            chain.views[first.address, method] = answer
    dear = returned(["uint112", "uint112", "uint32"], 10**18, 5_000 * 10**6, 0)
    chain.views[first.address, selector("getReserves()")] = dear
    await watching.look()
    chain.mine(transaction(ALICE, 0))
    await watching.look()
    (confirmed,) = watching.told(TransactionConfirmed)
    assert confirmed.gas_cost_quote == pytest.approx((confirmed.gas_cost or 0) * 5_000)
