"""What the bot sees of the chain: blocks, gas, both pools, and what others traded. Each look is journaled."""

from __future__ import annotations

from dataclasses import dataclass

from web3 import Web3
from web3.contract import Contract
from web3.types import LogReceipt

from arbitrage_bot.contracts import artifact
from arbitrage_bot.day import Day
from arbitrage_bot.deployment import Deployment, PoolPlace
from arbitrage_bot.strategy import Reserves
from deskwatch import BlockObserved, GasPriceObserved, PoolObserved, PriceObserved, Recorder

HISTORY_BLOCKS = 500
"""How far back the first look reads swaps, so that a young chain's 24 h figures are whole."""


@dataclass(frozen=True)
class Flow:
    """What was traded on a pool since the last look."""

    swaps: int = 0
    bought_base: int = 0
    sold_base: int = 0
    quote: int = 0


@dataclass(frozen=True)
class View:
    """The market after one block."""

    block: int
    timestamp: int
    base_fee_wei: int
    pools: tuple[Reserves, Reserves]
    flows: tuple[Flow, Flow]
    prices: tuple[float, float]
    """Quote per base, before fees, in whole units."""

    @property
    def mark_price(self) -> float:
        """What a base token is worth: the mean of both pools."""
        return sum(self.prices) / 2


class Venue:
    """One pool as a contract."""

    def __init__(self, w3: Web3, place: PoolPlace) -> None:
        self.name = place.venue
        self.address = Web3.to_checksum_address(place.address)
        self.contract: Contract = w3.eth.contract(address=self.address, abi=artifact("Pool")["abi"])
        self.swap_topic = bytes(Web3.keccak(text="Swap(address,uint256,uint256,uint256,uint256,address)"))
        self._base_is_0: bool | None = None

    def orient(self, base: str) -> None:
        """Find out which of the pool's tokens is the base."""
        self._base_is_0 = self.contract.functions.token0().call() == Web3.to_checksum_address(base)

    def reserves(self, block: int) -> Reserves:
        """What the pool held after a block."""
        first, second, _ = self.contract.functions.getReserves().call(block_identifier=block)
        return Reserves(first, second) if self._base_is_0 else Reserves(second, first)

    def swap_amounts(self, log: LogReceipt) -> tuple[int, int, int, int]:
        """Base in, quote in, base out and quote out of a Swap log."""
        in0, in1, out0, out1 = (
            int.from_bytes(bytes(log["data"])[start : start + 32], "big") for start in range(0, 128, 32)
        )
        return (in0, in1, out0, out1) if self._base_is_0 else (in1, in0, out1, out0)


class Market:
    """Both venues on one chain."""

    def __init__(self, w3: Web3, deployment: Deployment, recorder: Recorder) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._recorder = recorder
        self.venues = tuple(Venue(w3, place) for place in deployment.pools)
        self._days: list[Day] = []
        self._last_block = -1

    def open(self) -> None:
        """Learn what never changes, and how far back the figures of a day can reach."""
        for venue in self.venues:
            venue.orient(self._deployment.base.address)
        head = self._w3.eth.block_number
        self._last_block = max(-1, head - HISTORY_BLOCKS)
        self._days = [Day(complete=self._last_block < 1) for _ in self.venues]

    def head(self) -> int:
        """Number of the newest block."""
        return self._w3.eth.block_number

    def look(self, number: int) -> View:
        """See the market after block `number`, and journal it."""
        block = self._w3.eth.get_block(number)
        first, second = (venue.reserves(number) for venue in self.venues)
        logs = self._w3.eth.get_logs(
            {
                "fromBlock": self._last_block + 1,
                "toBlock": number,
                "address": [venue.address for venue in self.venues],
                "topics": [Web3.to_hex(self.venues[0].swap_topic)],
            }
        )
        advised = self._w3.eth.gas_price
        view = View(
            block=number,
            timestamp=block["timestamp"],
            base_fee_wei=block.get("baseFeePerGas", 0),
            pools=(first, second),
            flows=(self._flow(0, logs), self._flow(1, logs)),
            prices=(self._price(first), self._price(second)),
        )
        self._last_block = number
        self._recorder.emit(
            BlockObserved(
                chain=self._deployment.chain,
                block=number,
                block_timestamp_seconds=view.timestamp,
                transactions=len(block["transactions"]),
                gas_used=block["gasUsed"],
                gas_limit=block["gasLimit"],
            )
        )
        self._recorder.emit(
            GasPriceObserved(
                chain=self._deployment.chain,
                gas_price_wei=str(advised),
                base_fee_wei=str(view.base_fee_wei),
                priority_fee_wei=str(max(0, advised - view.base_fee_wei)),
            )
        )
        for index in range(2):
            self._journal_pool(index, view)
        return view

    def _flow(self, index: int, logs: list[LogReceipt]) -> Flow:
        venue = self.venues[index]
        swaps = [venue.swap_amounts(log) for log in logs if log["address"] == venue.address]
        return Flow(
            swaps=len(swaps),
            bought_base=sum(base_out for _, _, base_out, _ in swaps),
            sold_base=sum(base_in for base_in, _, _, _ in swaps),
            quote=sum(quote_in + quote_out for _, quote_in, _, quote_out in swaps),
        )

    def _price(self, reserves: Reserves) -> float:
        base = reserves.base / 10**self._deployment.base.decimals
        return reserves.quote / 10**self._deployment.quote.decimals / base if base else 0.0

    def _journal_pool(self, index: int, view: View) -> None:
        base, quote = self._deployment.base, self._deployment.quote
        reserves, price, venue = view.pools[index], view.prices[index], self.venues[index]
        day = self._days[index]
        day.add(view.timestamp, price, view.flows[index].quote / 10**quote.decimals)
        quote_reserve = reserves.quote / 10**quote.decimals
        self._recorder.emit(
            PoolObserved(
                venue=venue.name,
                symbol=self._deployment.symbol,
                chain=self._deployment.chain,
                contract=venue.address,
                base_reserve=reserves.base / 10**base.decimals,
                quote_reserve=quote_reserve,
                base_asset=base.symbol,
                quote_asset=quote.symbol,
                price=price,
                liquidity=2 * quote_reserve,
                block=view.block,
            )
        )
        self._recorder.emit(
            PriceObserved(
                venue=venue.name,
                symbol=self._deployment.symbol,
                price=price,
                asset=quote.symbol,
                change_24h_ratio=day.change_ratio(price),
                volume_24h=day.volume,
            )
        )
