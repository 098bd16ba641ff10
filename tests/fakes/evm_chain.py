"""A chain in memory, asked as `deskwatch.sources.evm.reading.Asks` is: mined, reorganized, forgetful at will."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.head import Head, head
from deskwatch.sources.evm.question import Answer, Question
from tests.unit.sources.evm import words

GENESIS_SECONDS = 1_700_000_000


class FakeChain:
    """A chain.

    Attributes:
        balances: Wei by address in small letters.
        views: What contracts answer: (address, first ten characters of the data) → hex digits, error, or a function of
            the block's number that gives one.
        waiting: Transactions of the pending block.
        receipts: By hash; what is changed here is what is answered.
        refused: Methods that the node refuses.
        forgotten: Blocks below this number have no state any more.
        asked: How often each method was asked.
        batches: How often anything was asked.
    """

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.balances: dict[str, int] = {}
        self.views: dict[tuple[str, str], Any] = {}
        self.replays: dict[str, Any] = {}
        self.waiting: list[dict[str, Any]] = []
        self.receipts: dict[str, dict[str, Any]] = {}
        self.refused: set[str] = set()
        self.forgotten = 0
        self.asked: Counter[str] = Counter()
        self.batches = 0
        self._mined = 0
        self.mine()

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return len(self.blocks) - 1

    def head(self, *, is_newest: bool = True) -> Head:
        """The newest block, as the parts are told of it."""
        block = self.blocks[-1]
        return head({**block, "transactions": [one["hash"] for one in block["transactions"]]}, is_newest=is_newest)

    def mine(self, *transactions: dict[str, Any], fails: bool = False) -> None:
        """A block with these."""
        self._mined += 1
        number, own = len(self.blocks), words.hash_of("block", self._mined)
        listed = []
        for place, one in enumerate(transactions):
            mined = {**one, "blockHash": own, "blockNumber": hex(number), "transactionIndex": hex(place)}
            listed.append(mined)
            self.receipts[one["hash"]] = {
                "transactionHash": one["hash"],
                "blockHash": own,
                "blockNumber": hex(number),
                "status": "0x0" if fails else "0x1",
                "gasUsed": hex(21_000),
                "effectiveGasPrice": hex(10**9 + number),
            }
        self.waiting = [one for one in self.waiting if one["hash"] not in {each["hash"] for each in transactions}]
        self.blocks.append(
            {
                "number": hex(number),
                "hash": own,
                "parentHash": self.blocks[-1]["hash"] if self.blocks else words.hash_of("block", 0),
                "timestamp": hex(GENESIS_SECONDS + 12 * number),
                "baseFeePerGas": hex(10**9),
                "gasUsed": hex(21_000 * len(listed)),
                "gasLimit": hex(30_000_000),
                "transactions": listed,
            }
        )

    def unmine(self, depth: int) -> list[dict[str, Any]]:
        """Take the newest blocks away; what they held waits nowhere, and is given back."""
        gone = [one for block in self.blocks[-depth:] for one in block["transactions"]]
        del self.blocks[-depth:]
        for one in gone:
            del self.receipts[one["hash"]]
        return gone

    async def batch(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers, each of the method of its name."""
        assert questions, "nobody asks for nothing"
        self.batches += 1
        return [self._answer(method, *params) for method, params in questions]

    def _answer(self, method: str, *params: Any) -> Answer:
        self.asked[method] += 1
        if method in self.refused:
            return RpcError(-32601, f"the method {method} does not exist")
        answering: Callable[..., Answer] = getattr(self, f"_{method.partition('_')[2]}")
        return answering(*params)

    def _getBlockByNumber(self, at: str, full: bool) -> Answer:  # noqa: N802  the methods' names
        if at == "pending":
            return {**self.blocks[-1], "number": hex(self.height + 1), "hash": None, "transactions": self.waiting}
        number = int(at, 16)
        if number > self.height:
            return None
        block = self.blocks[number]
        return block if full else {**block, "transactions": [one["hash"] for one in block["transactions"]]}

    def _getBalance(self, address: str, at: str) -> Answer:  # noqa: N802  as above
        return self._state(at) or hex(self.balances.get(address.lower(), 0))

    def _getTransactionCount(self, address: str, at: str) -> Answer:  # noqa: N802  as above
        mined = [one for block in self.blocks[: self._number(at) + 1] for one in block["transactions"]]
        listed = [*mined, *(self.waiting if at == "pending" else ())]
        return self._state(at) or hex(sum(one["from"] == address.lower() for one in listed))

    def _getTransactionReceipt(self, name: str) -> Answer:  # noqa: N802  as above
        return self.receipts.get(name)

    def _getTransactionByHash(self, name: str) -> Answer:  # noqa: N802  as above
        listed = [one for block in self.blocks for one in block["transactions"]]
        return next((one for one in (*listed, *self.waiting) if one["hash"] == name), None)

    def _call(self, call: dict[str, Any], at: str) -> Answer:
        if "from" in call:
            told = self.replays.get(at, self.replays.get("", "0x"))
        else:
            told = self.views.get((call["to"].lower(), call["data"][:10]), "0x")
        told = told(self._number(at)) if callable(told) else told
        return self._state(at) or told

    def _number(self, at: str) -> int:
        return self.height if at in ("latest", "pending") else int(at, 16)

    def _state(self, at: str) -> RpcError | None:
        return RpcError(-32000, "missing trie node") if self._number(at) < self.forgotten else None
