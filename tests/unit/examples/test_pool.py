"""The contracts, on a real EVM."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbitrage_bot.chain.account import Account, calldata
from arbitrage_bot.chain.genesis import Market, prepare
from arbitrage_bot.chain.node import Reverted
from arbitrage_bot.chain.traders import SWAP
from arbitrage_bot.chain.wire import data, to_bytes
from arbitrage_bot.strategy import Reserves

FAR = 2**40
"""A deadline that never comes."""


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare(seed=7, traders=1)


class Caller:
    """One account that calls one pool."""

    def __init__(self, market: Market) -> None:
        self.node, self.account = market.node, market.traders[0]
        self.pool = market.deployment.pools[0].address
        self.base, self.quote = market.deployment.base.address, market.deployment.quote.address

    def reserves(self) -> Reserves:
        output = self.node.call(bytes(20), to_bytes(self.pool), calldata("getReserves()"))
        return Reserves(*decode(["uint112", "uint112"], output))

    def call(self, to: str, signature: str, *values: object, sender: Account | None = None) -> bytes:
        """What a call would return."""
        who = (sender or self.account).raw_address
        return self.node.call(who, to_bytes(to), calldata(signature, *values))

    def send(self, to: str, signature: str, *values: object) -> dict[str, Any]:
        """The receipt of a transaction."""
        sent = self.account.send(self.node, to, calldata(signature, *values), gas=300_000, tip_wei=1)
        self.node.mine()
        receipt = self.node.receipt(data(sent))
        assert receipt is not None
        return receipt

    def balance(self, token: str, who: str | None = None) -> int:
        output = self.call(token, "balanceOf(address)", who or self.account.address)
        return int.from_bytes(output, "big")


@pytest.fixture
def caller(market: Market) -> Caller:
    return Caller(market)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.integers(1, 10**22), selling_base=st.booleans())
def test_the_strategy_computes_what_the_contract_pays(caller: Caller, amount: int, selling_base: bool):
    """Bit for bit: `Reserves.buy` and `.sell` against `getAmountOut` on the EVM."""
    reserves = caller.reserves()
    token = caller.base if selling_base else caller.quote
    output = caller.call(caller.pool, "getAmountOut(address,uint256)", token, amount)
    expected = reserves.sell(amount) if selling_base else reserves.buy(amount)
    assert int.from_bytes(output, "big") == expected


@pytest.mark.parametrize("selling_base", [True, False])
def test_a_swap_moves_exactly_what_it_says_and_the_product_never_falls(caller: Caller, selling_base: bool):
    before = caller.reserves()
    balances = caller.balance(caller.base), caller.balance(caller.quote)
    token, amount = (caller.base, 10**18) if selling_base else (caller.quote, 5 * 10**9)
    expected = before.sell(amount) if selling_base else before.buy(amount)
    receipt = caller.send(caller.pool, SWAP, token, amount, expected, caller.account.address, FAR)
    after = caller.reserves()
    moved = caller.balance(caller.base) - balances[0], caller.balance(caller.quote) - balances[1]
    assert receipt["status"] == "0x1"
    assert moved == ((-amount, expected) if selling_base else (expected, -amount))
    assert (after.base, after.quote) == (before.base - moved[0], before.quote - moved[1])
    assert after.base * after.quote > before.base * before.quote
    assert caller.balance(caller.base, caller.pool) == after.base
    assert caller.balance(caller.quote, caller.pool) == after.quote


def test_it_logs_swaps_as_uniswap_v2_does(caller: Caller):
    receipt = caller.send(caller.pool, SWAP, caller.base, 10**18, 0, caller.account.address, FAR)
    topics = [log["topics"][0] for log in receipt["logs"] if log["address"] == caller.pool]
    assert topics == [
        "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1",  # Sync
        "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",  # Swap
    ]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("SLIPPAGE", {"min_out": 2**200}),
        ("EXPIRED", {"deadline": 1}),
        ("NO_INPUT", {"amount": 0}),
        ("UNKNOWN_TOKEN", {"token": "0x" + "11" * 20}),
        ("BAD_RECIPIENT", {"to": "pool"}),
        ("BALANCE", {"amount": 10**30}),
    ],
)
def test_a_refused_swap_says_why(caller: Caller, words: str, changed: dict[str, Any]):
    asked = {"token": caller.base, "amount": 10**18, "min_out": 0, "to": caller.account.address, "deadline": FAR}
    asked |= changed
    if asked["to"] == "pool":
        asked["to"] = caller.pool
    with pytest.raises(Reverted, match=f"execution reverted: {words}$"):
        caller.call(caller.pool, SWAP, *asked.values())


def test_a_swap_without_allowance_is_refused(caller: Caller, market: Market):
    poor = Account(99, "stranger")
    with pytest.raises(Reverted, match="ALLOWANCE"):
        caller.call(caller.pool, SWAP, caller.base, 1, 0, poor.address, FAR, sender=poor)


def test_only_the_deployer_adds_liquidity_and_mints(caller: Caller):
    with pytest.raises(Reverted, match="NOT_PROVIDER"):
        caller.call(caller.pool, "addLiquidity(uint256,uint256)", 1, 1)
    with pytest.raises(Reverted, match="NOT_MINTER"):
        caller.call(caller.base, "mint(address,uint256)", caller.account.address, 1)


def test_a_limited_allowance_is_counted_down_and_an_unlimited_one_is_not(caller: Caller):
    caller.send(caller.base, "approve(address,uint256)", caller.pool, 3 * 10**17)
    caller.send(caller.pool, SWAP, caller.base, 10**17, 0, caller.account.address, FAR)
    left = caller.call(caller.base, "allowance(address,address)", caller.account.address, caller.pool)
    assert int.from_bytes(left, "big") == 2 * 10**17
    caller.send(caller.base, "approve(address,uint256)", caller.pool, 2**256 - 1)
    caller.send(caller.pool, SWAP, caller.base, 10**17, 0, caller.account.address, FAR)
    left = caller.call(caller.base, "allowance(address,address)", caller.account.address, caller.pool)
    assert int.from_bytes(left, "big") == 2**256 - 1
