"""Transactions that wait for a block: who goes first, what is replaced, what is dropped."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from eth.abc import SignedTransactionAPI

from arbitrage_bot.chain.records import tip_per_gas

CAPACITY = 2000
"""Transactions that may wait; more are refused."""
PER_SENDER = 64
"""Of one sender."""
REPLACEMENT_RATIO = 1.1
"""A transaction takes the place of one with its nonce if both its fees are this much higher."""
LIFETIME_BLOCKS = 120
"""A transaction that waited for so many blocks is dropped."""


class Refused(Exception):
    """A transaction that the node does not take. The message is worded as geth words it."""


@dataclass(frozen=True)
class Waiting:
    """One transaction in the mempool."""

    transaction: SignedTransactionAPI
    sender: bytes
    arrival: int
    since_block: int


@dataclass
class Mempool:
    """Waiting transactions by sender and nonce."""

    _by_sender: dict[bytes, dict[int, Waiting]] = field(default_factory=dict)
    _by_hash: dict[bytes, Waiting] = field(default_factory=dict)
    _arrivals: Iterator[int] = field(default_factory=itertools.count)

    def add(self, transaction: SignedTransactionAPI, sender: bytes, block: int) -> None:
        """Take a transaction whose nonce and funds were checked.

        Raises:
            Refused: It is here already, pays too little to replace another, or there is no room.
        """
        if transaction.hash in self._by_hash:
            raise Refused("already known")
        theirs = self._by_sender.setdefault(sender, {})
        before = theirs.get(transaction.nonce)
        if before is not None:
            old = before.transaction
            if (
                transaction.max_fee_per_gas < old.max_fee_per_gas * REPLACEMENT_RATIO
                or transaction.max_priority_fee_per_gas < old.max_priority_fee_per_gas * REPLACEMENT_RATIO
            ):
                raise Refused("replacement transaction underpriced")
            self.remove(before)
        elif len(theirs) >= PER_SENDER or len(self._by_hash) >= CAPACITY:
            raise Refused("txpool is full")
        waiting = Waiting(transaction, sender, next(self._arrivals), block)
        self._by_sender.setdefault(sender, {})[transaction.nonce] = waiting
        self._by_hash[transaction.hash] = waiting

    def best(self, base_fee: int, gas_left: int, nonce_of: Callable[[bytes], int]) -> Waiting | None:
        """The next transaction for a block: the highest tip first, then the first to arrive.

        Args:
            base_fee: Of the block that is being made, in wei.
            gas_left: What its limit leaves.
            nonce_of: An account's next nonce in the state so far.
        """
        chosen, chosen_rank = None, (0, 0)
        for sender, theirs in self._by_sender.items():
            waiting = theirs.get(nonce_of(sender))
            if waiting is None or waiting.transaction.gas > gas_left:
                continue
            tip = tip_per_gas(waiting.transaction, base_fee)
            rank = (tip, -waiting.arrival)
            if tip >= 0 and (chosen is None or rank > chosen_rank):
                chosen, chosen_rank = waiting, rank
        return chosen

    def remove(self, waiting: Waiting) -> None:
        """Forget a transaction that was mined, replaced or found invalid."""
        self._by_hash.pop(waiting.transaction.hash, None)
        theirs = self._by_sender.get(waiting.sender, {})
        theirs.pop(waiting.transaction.nonce, None)
        if not theirs:
            self._by_sender.pop(waiting.sender, None)

    def drop_old(self, block: int) -> None:
        """Forget what waited for too long."""
        for waiting in list(self._by_hash.values()):
            if block - waiting.since_block > LIFETIME_BLOCKS:
                self.remove(waiting)

    def get(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        """A waiting transaction by its hash."""
        waiting = self._by_hash.get(transaction_hash)
        return waiting.transaction if waiting else None

    def next_nonce(self, sender: bytes, nonce: int) -> int:
        """The nonce after the unbroken row of waiting ones that starts at `nonce`."""
        theirs = self._by_sender.get(sender, {})
        while nonce in theirs:
            nonce += 1
        return nonce

    def __len__(self) -> int:
        return len(self._by_hash)
