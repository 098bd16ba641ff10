"""Wallets, pools and contracts of real chains: what is journaled is what the chain's own receipts and state say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from web3 import HTTPProvider, Web3

from arbitrage_bot.chain.account import Account
from arbitrage_bot.contracts import artifact
from deskwatch.events import (
    BalanceObserved,
    ContractObserved,
    LogRecorded,
    PoolObserved,
    ReorgObserved,
    TransactionConfirmed,
    TransactionDropped,
    TransactionReverted,
    TransactionSent,
    WalletObserved,
)
from tests import anvil, running
from tests.embedded_chain import embedded_chain
from tests.uniswap import USDC, WETH, Uniswap
from tests.waiting import eventually

BOT = "watched"
HURRIED = "poll_seconds = 0.1\nrequests_per_second = 500.0\ncalls_per_second = 5000.0\n"
"""A provider is asked once a second; a test's own node answers as often as it is asked."""


class Watch:
    """A sidecar that watches a chain, and what it journaled so far."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.home = folder / "home"
        self._config = folder / "deskwatch.toml"
        self._config.write_text("\n".join([f'[[source]]\nkind = "evm"\nbot = "{BOT}"', HURRIED, *lines]))

    @contextlib.contextmanager
    def watching(self) -> Iterator[running.Http]:
        """While it runs."""
        with running.sidecar(self.home, "--config", str(self._config)) as http:
            yield http

    def told(self, kind: Any) -> list[Any]:
        """Events of a kind."""
        return running.events(self.home, kind, BOT)

    def outcomes(self) -> list[Any]:
        """What came of transactions, in the journal's order."""
        kinds = (TransactionConfirmed, TransactionReverted)
        return [one.event for one in running.records(self.home, BOT) if isinstance(one.event, kinds)]

    def until(self, nonce: int) -> None:
        """Wait until a wallet is told of with this nonce."""
        eventually(lambda: (seen := self.told(WalletObserved)) and seen[-1].nonce == nonce, 30, every=0.1)


def metric(http: running.Http, name: str, **labels: str) -> float | None:
    """A sample of what the sidecar serves."""
    for family in text_string_to_metric_families(http.metrics()):
        for sample in family.samples:
            if sample.name == name and sample.labels == {**sample.labels, "bot": BOT, **labels}:
                return sample.value
    return None


class Told:
    """A day on anvil, told by a watch: swaps, a revert, a reorg, an outage of the watch.

    Attributes:
        watch: What it wrote.
        figures: Metrics at the end.
        dropped: Hash of the swap that the reorg took for good.
        moved: Hash of the swap that it put into another block.
    """

    def __init__(self, folder: Path, node: anvil.Anvil) -> None:
        self.node = node
        self.market = market = Uniswap(node.url)
        self.eth, self.trader = market.eth, market.trader
        self.watch = Watch(
            folder,
            f'urls = ["{node.url}"]\nchain = "anvil"',
            f'[[source.wallets]]\nname = "hot"\naddress = "{market.trader}"',
            f'[[source.tokens]]\nsymbol = "USDC"\naddress = "{market.usdc.address}"',
            f'[[source.pools]]\nname = "uniswap"\naddress = "{market.pool.address}"\nbase = "WETH"',
            f'[[source.contracts]]\nname = "supply"\naddress = "{market.usdc.address}"',
            'signature = "totalSupply()(uint256)"\ndecimals = 6',
            f'[[source.contracts]]\nname = "held"\naddress = "{market.weth.address}"',
            f'signature = "balanceOf(address)(uint256)"\nargs = ["{market.trader}"]\ndecimals = 18',
        )
        self.before = self.eth.get_transaction_count(self.trader)
        with self.watch.watching():
            self.watch.until(self.before)
            self._trade()
            self.watch.until(self.before + 5)
            self._reorganize()
        self._trade_unwatched()
        with self.watch.watching() as http:
            self.watch.until(self.eth.get_transaction_count(self.trader))
            eventually(lambda: metric(http, "tradebot_head_block", chain="anvil") == node.height(), 20)
            self.figures = {
                (
                    sample.name,
                    *(sample.labels.get(key, "") for key in ("kind", "reason", "venue", "asset")),
                ): sample.value
                for family in text_string_to_metric_families(http.metrics())
                for sample in family.samples
                if sample.labels.get("bot") == BOT
            }

    def _trade(self) -> None:
        market = self.market
        assert market.buy(3000)["status"] == 1
        assert market.buy(3000, least=2 * WETH)["status"] == 0
        market.send(market.usdc.functions.approve(market.owner, 5 * USDC), self.trader)
        market.send(market.weth.functions.deposit(), self.trader, value=WETH // 4)
        market.wait(self.eth.send_transaction({"from": self.trader, "to": market.owner, "value": WETH // 8}))

    def _reorganize(self) -> None:
        first, second = (self.market.buy(100 + extra)["transactionHash"].to_0x_hex() for extra in range(2))
        self.watch.until(self.before + 7)
        self.moved, self.dropped = first, second
        raw = self.node.ask("eth_getRawTransactionByHash", first)
        self.node.reorganize(2, [(raw, 1)])
        eventually(lambda: self.watch.told(TransactionDropped), 20)
        self.watch.until(self.before + 6)

    def _trade_unwatched(self) -> None:
        """Further back than blocks are read, and not so far that anvil puts the state of that time on disk."""
        self.node.mine(40)
        self.market.buy(200)
        self.node.mine(330)
        self.market.buy(300)

    def receipts(self) -> dict[str, Any]:
        """Of all of the trader's transactions since the watch began that the chain holds now."""
        blocks = (self.eth.get_block(number, True) for number in range(self.node.height() + 1))
        mine = [one["hash"] for block in blocks for one in block["transactions"] if one["from"] == self.trader]
        return {name.to_0x_hex(): self.eth.get_transaction_receipt(name) for name in mine[self.before :]}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("evm")
    with anvil.running(folder) as node:
        yield Told(folder, node)


def test_every_transaction_of_the_chain_is_told_with_its_receipts_figures(day: Told):
    receipts = day.receipts()
    assert len(receipts) == 8
    last = {one.transaction: one for one in day.watch.outcomes() if one.transaction != day.dropped}
    assert last.keys() == receipts.keys()
    for name, one in last.items():
        receipt = receipts[name]
        assert isinstance(one, TransactionConfirmed) is (receipt["status"] == 1)
        assert (one.block, one.gas_used) == (receipt["blockNumber"], receipt["gasUsed"])
        assert int(one.gas_price_wei) == receipt["effectiveGasPrice"]
        assert one.gas_cost == receipt["gasUsed"] * receipt["effectiveGasPrice"] / 10**18


def test_nothing_is_said_to_be_missing(day: Told):
    """The only complaint is of blocks whose own figures were not read."""
    messages = [one.message for one in day.watch.told(LogRecorded)]
    assert [message for message in messages if "passed unwatched" not in message] == []


def test_nothing_is_told_twice_but_what_the_reorg_moved(day: Told):
    told = [one.transaction for one in day.watch.outcomes() if not one.again]
    assert len(told) == len(set(told)) == 9
    assert [one.transaction for one in day.watch.outcomes() if one.again] == [day.moved]
    sent = [one.transaction for one in day.watch.told(TransactionSent)]
    assert sorted(sent) == sorted(told)
    assert [(one.depth, one.chain) for one in day.watch.told(ReorgObserved)] == [(2, "anvil")]


def test_what_the_reorg_took_is_told_and_what_replaced_it_too(day: Told):
    dropped = day.watch.told(TransactionDropped)
    assert [(one.transaction, one.reason) for one in dropped] == [
        (day.dropped, "reorganized"),
        (day.dropped, "replaced"),
    ]


def test_counters_are_the_sums_of_what_was_told_once(day: Told):
    once = [one for one in day.watch.outcomes() if not one.again]
    assert day.figures["tradebot_gas_used_total", "", "", "", ""] == sum(one.gas_used for one in once)
    spent = day.figures["tradebot_gas_spent_total", "", "", "", "ETH"]
    assert spent == pytest.approx(sum(one.gas_cost for one in once), rel=1e-12)
    assert day.figures["tradebot_transactions_confirmed_total", "swap", "", "", ""] == 5
    assert day.figures["tradebot_transactions_reverted_total", "", "slippage", "", ""] == 1
    assert day.figures["tradebot_transactions_pending", "", "", "", ""] == 0
    assert day.figures["tradebot_wallet_nonce", "", "", "hot", ""] == day.eth.get_transaction_count(day.trader)


def test_transactions_are_told_with_what_they_are_for(day: Told):
    told = [one.purpose for one in day.watch.outcomes() if not one.again]
    assert told == ["swap", "swap", "approve", "wrap", "transfer", *["swap"] * 4]


def test_a_revert_is_told_with_the_contracts_words(day: Told):
    (reverted,) = day.watch.told(TransactionReverted)
    assert (reverted.reason, reverted.message) == ("slippage", "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT")


def test_gas_in_dollars_is_by_the_pools_reserves_as_of_its_block(day: Told):
    for one in {one.transaction: one for one in day.watch.outcomes() if one.transaction != day.dropped}.values():
        weth, usdc = day.market.reserves(one.block)
        assert one.gas_cost_quote == pytest.approx(one.gas_cost * (usdc / USDC) / (weth / WETH), rel=1e-12)
        assert one.quote_asset == "USDC"


def test_the_pool_is_told_as_its_reserves_are(day: Told):
    last = day.watch.told(PoolObserved)[-1]
    weth, usdc = day.market.reserves()
    assert (last.base_reserve, last.quote_reserve) == (weth / WETH, usdc / USDC)
    assert (last.symbol, last.block) == ("WETH/USDC", day.node.height())
    price = (usdc / USDC) / (weth / WETH)
    assert last.price == price
    assert day.figures["tradebot_price", "", "", "uniswap", ""] == price
    assert day.figures["tradebot_pool_liquidity", "", "", "uniswap", "USDC"] == 2 * usdc / USDC


def test_balances_and_calls_are_told_as_the_chain_has_them(day: Told):
    balances = {one.asset: one.total for one in day.watch.told(BalanceObserved)}
    assert balances == {
        "ETH": day.eth.get_balance(day.trader) / 10**18,
        "USDC": day.market.usdc.functions.balanceOf(day.trader).call() / USDC,
    }
    calls = {one.name: one.value for one in day.watch.told(ContractObserved)}
    assert calls == {
        "supply": 400_000.0,
        "held": day.market.weth.functions.balanceOf(day.trader).call() / WETH,
    }
    assert calls["held"] > 0.25


def test_how_many_transactions_the_wallet_can_pay_is_told(day: Told):
    """By the median of what its newest cost, so by the fifth of nine."""
    last = day.watch.told(WalletObserved)[-1]
    costs = sorted(one.gas_cost for one in day.watch.outcomes() if not one.again)
    assert last.transactions_left == pytest.approx(day.eth.get_balance(day.trader) / 10**18 / costs[4], rel=1e-9)
    assert day.figures["tradebot_wallet_transactions_left", "", "", "hot", ""] == last.transactions_left


def test_the_demos_own_chain_is_told_as_its_receipts_and_reserves_say(tmp_path: Path):
    """A wallet of it that trades in nearly every block, and both pools, while blocks go on."""
    with embedded_chain(tmp_path) as chain:
        eth: Any = Web3(HTTPProvider(chain["url"])).eth
        wallet = Account(1, "trader-3").address
        watch = Watch(
            tmp_path,
            f'urls = ["{chain["url"]}"]',
            f'[[source.wallets]]\nname = "trader"\naddress = "{wallet}"',
            *(
                f'[[source.pools]]\nname = "{one["venue"]}"\naddress = "{one["address"]}"\nbase = "WETH"'
                for one in chain["pools"]
            ),
        )
        with watch.watching():
            eventually(lambda: len(watch.outcomes()) >= 3, 60, every=0.2)
        first, *_, last = watch.told(WalletObserved)
        blocks = [eth.get_block(number, True) for number in range(first.block + 1, last.block + 1)]
        mine = [one["hash"].to_0x_hex() for block in blocks for one in block["transactions"] if one["from"] == wallet]
        assert [one.transaction for one in watch.outcomes()] == mine
        for one in watch.outcomes():
            receipt = eth.get_transaction_receipt(one.transaction)
            assert isinstance(one, TransactionConfirmed) is (receipt["status"] == 1)
            assert one.gas_cost == receipt["gasUsed"] * receipt["effectiveGasPrice"] / 10**18
        for told in watch.told(PoolObserved)[-4:]:
            view = eth.contract(told.contract, abi=artifact("Pool")["abi"]).functions
            reserves = view.getReserves().call(block_identifier=told.block)
            base, quote = reserves[:2] if view.token0().call() == chain["base"]["address"] else reserves[1::-1]
            assert (told.base_reserve, told.quote_reserve) == (base / WETH, quote / USDC)
