"""The real Uniswap V2 on a test's chain: its factory, router and WETH from npm's packages, a pool, and swaps.

The packages are put beside anvil by `.ci/install-anvil`. A USDC of six decimals is the demo's own token.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from arbitrage_bot.contracts import artifact
from tests import anvil

PACKAGES = {
    "UniswapV2Factory": "v2-core",
    "UniswapV2Pair": "v2-core",
    "UniswapV2Router02": "v2-periphery",
    "WETH9": "v2-periphery",
}
WETH, USDC = 10**18, 10**6
FOREVER = 2**63


def built(name: str) -> dict[str, Any]:
    """A contract of Uniswap's as its packages have it. Skips the test where they are not there."""
    folder = Path(anvil.binary()).parent.parent / "node_modules" / "@uniswap" / PACKAGES[name] / "build"
    try:
        loaded: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError:
        pytest.skip(f"needs Uniswap's contracts in {folder}; .ci/install-anvil puts them there")
    return loaded


class Uniswap:
    """A WETH/USDC pool on a node that signs for its accounts.

    Attributes:
        eth: The node, by web3.
        owner: Account that deployed everything and provides the liquidity.
        trader: Account that has USDC and ETH.
        factory: Makes pools.
        router: What traders call.
        weth: Wrapped ether, 18 decimals.
        usdc: A dollar of 6 decimals.
        pool: The pair of both.
    """

    def __init__(self, url: str, *, price: int = 3000, depth: int = 100) -> None:
        """Deploys everything; the node has to mine by itself meanwhile.

        Args:
            url: The node's.
            price: USDC for a WETH as the pool opens.
            depth: WETH in the pool.
        """
        self.eth = _node(url)
        self.owner, self.trader = self.eth.accounts[:2]
        self.factory = self._deploy(built("UniswapV2Factory"), self.owner)
        self.weth = self._deploy(built("WETH9"))
        self.usdc = self._deploy(artifact("Token"), "USD Coin (test)", "USDC", 6)
        self.router = self._deploy(built("UniswapV2Router02"), self.factory.address, self.weth.address)
        functions = self.usdc.functions
        self.send(functions.mint(self.owner, price * depth * USDC))
        self.send(functions.mint(self.trader, 100_000 * USDC))
        for account in (self.owner, self.trader):
            self.send(functions.approve(self.router.address, 2**256 - 1), account)
        terms = (self.usdc.address, price * depth * USDC, 0, 0, self.owner, FOREVER)
        self.send(self.router.functions.addLiquidityETH(*terms), value=depth * WETH)
        place = self.factory.functions.getPair(self.weth.address, self.usdc.address).call()
        self.pool = self.eth.contract(place, abi=built("UniswapV2Pair")["abi"])

    def buy(self, dollars: int, *, least: int = 0) -> Any:
        """The trader buys WETH for whole dollars. With a `least` (wei) that can't be met, it reverts on the chain."""
        return self.wait(self.eth.send_transaction(self.swap(dollars, least=least)))

    def swap(self, dollars: int, *, least: int = 0) -> Any:
        """The same, not sent. Its gas is given: a node refuses to estimate what reverts."""
        terms = (dollars * USDC, least, [self.usdc.address, self.weth.address], self.trader, FOREVER)
        call = self.router.functions.swapExactTokensForTokens(*terms)
        return call.build_transaction({"from": self.trader, "gas": 400_000})

    def reserves(self, block: int | str = "latest") -> tuple[int, int]:
        """WETH (wei) and USDC (millionths) in the pool."""
        first, second, _ = self.pool.functions.getReserves().call(block_identifier=block)
        return (first, second) if self.pool.functions.token0().call() == self.weth.address else (second, first)

    def send(self, call: Any, sender: str | None = None, value: int = 0) -> Any:
        """Send a contract's function, and wait for its receipt."""
        return self.wait(call.transact({"from": sender or self.owner, "gas": 6_000_000, "value": value}))

    def wait(self, transaction: Any) -> Any:
        """Its receipt, once it is mined."""
        return self.eth.wait_for_transaction_receipt(transaction, timeout=30, poll_latency=0.02)

    def _deploy(self, compiled: Any, *values: object) -> Any:
        made = self.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        receipt = self.send(made.constructor(*values))
        return self.eth.contract(receipt["contractAddress"], abi=compiled["abi"])


def _node(url: str) -> Any:
    """The node by web3, whose types are at odds with how its contracts are called."""
    return Web3(HTTPProvider(url)).eth
