"""The first blocks: two tokens, two pools with liquidity, and funds for everybody, all by ordinary transactions."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from arbitrage_bot.chain.account import UNLIMITED, Account, calldata
from arbitrage_bot.chain.node import CHAIN_ID, Node
from arbitrage_bot.chain.wire import data
from arbitrage_bot.contracts import artifact
from arbitrage_bot.deployment import Deployment, PoolPlace, Token

ETHER = 10**18
BASE_UNIT, QUOTE_UNIT = 10**18, 10**6
OPENING_PRICE = 3000
"""USDC for a WETH when the pools open; also what the native ETH is booked at."""
POOLS = {"amber": 1000, "cobalt": 800}
"""Venue → WETH in its pool at the opening, with USDC to match."""
BOT_NATIVE, BOT_QUOTE = 20, 100_000
"""What the bot begins with: ETH for gas, and USDC to trade with."""
TRADER_BASE, TRADER_QUOTE = 5_000, 15_000_000
"""What every other trader begins with."""
TIP_WEI = 10**8


@dataclass(frozen=True)
class Market:
    """A chain that is ready to trade on."""

    node: Node
    deployment: Deployment
    traders: list[Account]


def prepare(seed: int, traders: int) -> Market:
    """Make a chain with `traders` funded accounts beside the bot's. The URL is filled in once it is served."""
    deployer, bot = Account(seed, "deployer"), Account(seed, "bot")
    others = [Account(seed, f"trader-{number}") for number in range(traders)]
    balances = {each.raw_address: 1000 * ETHER for each in (deployer, *others)}
    node = Node(balances | {bot.raw_address: BOT_NATIVE * ETHER})

    base = _create(node, deployer, "Token", ["string", "string", "uint8"], ["Wrapped Ether (demo)", "WETH", 18])
    quote = _create(node, deployer, "Token", ["string", "string", "uint8"], ["USD Coin (demo)", "USDC", 6])
    pools = [
        PoolPlace(venue=venue, address=_create(node, deployer, "Pool", ["address", "address"], [base, quote]))
        for venue in POOLS
    ]
    _run(node, deployer, base, "mint(address,uint256)", deployer.address, sum(POOLS.values()) * BASE_UNIT)
    _run(
        node, deployer, quote, "mint(address,uint256)", deployer.address,
        sum(POOLS.values()) * OPENING_PRICE * QUOTE_UNIT,
    )  # fmt: skip
    for place, depth in zip(pools, POOLS.values(), strict=True):
        for token in (base, quote):
            _run(node, deployer, token, "approve(address,uint256)", place.address, UNLIMITED)
        _run(
            node, deployer, place.address, "addLiquidity(uint256,uint256)",
            depth * BASE_UNIT, depth * OPENING_PRICE * QUOTE_UNIT,
        )  # fmt: skip
    _run(node, deployer, quote, "mint(address,uint256)", bot.address, BOT_QUOTE * QUOTE_UNIT)
    for trader in others:
        _run(node, deployer, base, "mint(address,uint256)", trader.address, TRADER_BASE * BASE_UNIT)
        _run(node, deployer, quote, "mint(address,uint256)", trader.address, TRADER_QUOTE * QUOTE_UNIT)
        for token in (base, quote):
            for place in pools:
                _run(node, trader, token, "approve(address,uint256)", place.address, UNLIMITED)
    while node.waiting:
        node.mine()

    deployment = Deployment(
        url="",
        chain="local-evm",
        chain_id=CHAIN_ID,
        native_asset="ETH",
        native_cost=float(OPENING_PRICE),
        base=Token(symbol="WETH", address=base, decimals=18),
        quote=Token(symbol="USDC", address=quote, decimals=6),
        pools=pools,
        private_key=data(bot.key),
    )
    return Market(node, deployment, others)


def _create(node: Node, deployer: Account, contract: str, types: list[str], values: list[object]) -> str:
    """Create a contract, mine it, and return its address."""
    code = bytes.fromhex(artifact(contract)["bytecode"][2:]) + encode(types, values)
    created = deployer.send(node, None, code, gas=1_100_000, tip_wei=TIP_WEI)
    node.mine()
    receipt = node.receipt(data(created))
    if receipt is None or receipt["status"] != "0x1":
        raise RuntimeError(f"expected to create {contract}, was {receipt}")
    address: str = receipt["contractAddress"]
    return address


def _run(node: Node, account: Account, to: str, signature: str, *values: object) -> None:
    """Send a transaction of the opening; a block is mined whenever enough of them wait."""
    account.send(node, to, calldata(signature, *values), gas=250_000, tip_wei=TIP_WEI)
    if node.waiting >= 12:
        node.mine()
