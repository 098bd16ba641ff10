"""Reading mined transactions of a node: of full blocks, or by their hashes.

A node behind a load balancer may answer of another branch than the one that is followed, or not know yet what it told a
moment ago: then nothing is read (`NotYet`), and the next head is the next try.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from deskwatch.errors import DeskwatchError
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.head import Head, head
from deskwatch.sources.evm.landed import Landed, landed
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.reading import Asks

AT_ONCE = 5
"""Full blocks that are asked for together: each may have half a MB, and several times that once it is decoded."""


class NotYet(DeskwatchError):
    """The node does not know this, or tells of another branch."""


class Blocks:
    """Reads what is of the chain that is followed.

    Args:
        asks: Who asks the node.
        memory: It has the hashes of the newest blocks that were followed.
    """

    def __init__(self, asks: Asks, memory: EvmMemory) -> None:
        self._asks = asks
        self._memory = memory
        self._newest = (-1, "")

    def at_head(self, newest: Head) -> None:
        """Which block is the newest: it is remembered only once everything in it was looked at."""
        self._newest = newest.number, newest.hash

    def _of_chain(self, block: Head) -> bool:
        """Whether a block is the one that was followed, as far as that is remembered."""
        known = [*((number, own) for number, own, _ in self._memory.blocks), self._newest]
        return all(own == block.hash for number, own in known if number == block.number)

    async def full(self, numbers: Sequence[int]) -> AsyncIterator[Head]:
        """Blocks with their transactions, one after the other: many of them would fill the memory.

        Raises:
            NotYet: One is not to be had.
        """
        for place in range(0, len(numbers), AT_ONCE):
            part = numbers[place : place + AT_ONCE]
            told = await self._asks.batch([("eth_getBlockByNumber", (hex(one), True)) for one in part])
            for number, block in zip(part, told, strict=True):
                if block is None or isinstance(block, RpcError):
                    raise NotYet(f"block {number} can't be read: {block or 'the node does not know it'}")
                read = head(block)
                if read.number != number or not self._of_chain(read):
                    raise NotYet(f"block {number} is of another branch")
                yield read

    async def landed(self, transactions: Iterable[tuple[dict[str, Any], Head]]) -> list[Landed]:
        """Transactions of full blocks, with their receipts.

        Raises:
            NotYet: A receipt is not to be had.
        """
        wanted = list(transactions)
        receipts = await self._receipts([str(one.get("hash")) for one, _ in wanted])
        found = []
        for (told, block), receipt in zip(wanted, receipts, strict=True):
            if receipt is None or str(receipt.get("blockHash")).lower() != block.hash:
                raise NotYet(f"a receipt of block {block.number} can't be read")
            found.append(landed(told, receipt, block.timestamp))
        return found

    async def look_up(self, hashes: Sequence[str]) -> Mapping[str, Landed | None]:
        """What became of transactions: None of one that is not on the chain.

        Raises:
            NotYet: That can't be told.
        """
        found: dict[str, Landed | None] = {}
        for name, receipt in zip(hashes, await self._receipts(hashes), strict=True):
            if receipt is None:
                found[name] = None
                continue
            questions = [
                ("eth_getTransactionByHash", (name,)),
                ("eth_getBlockByNumber", (receipt.get("blockNumber"), False)),
            ]
            told, block = await self._asks.batch(questions)
            if not isinstance(told, dict) or not isinstance(block, dict):
                raise NotYet(f"transaction {name} can't be read")
            read = head(block)
            if str(receipt.get("blockHash")).lower() != read.hash or not self._of_chain(read):
                raise NotYet(f"the receipt of transaction {name} is of another branch")
            found[name] = landed(told, receipt, read.timestamp)
        return found

    async def _receipts(self, hashes: Sequence[str]) -> list[dict[str, Any] | None]:
        if not hashes:
            return []
        told = await self._asks.batch([("eth_getTransactionReceipt", (one,)) for one in hashes])
        for one in told:
            if one is not None and not isinstance(one, dict):
                raise NotYet(f"a receipt can't be read: {one}")
        return told
