"""What the chain remembers of its blocks: the newest as they are, older ones packed, the oldest forgotten."""

from __future__ import annotations

import json
import zlib
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from arbitrage_bot.chain.wire import Wire, to_int

KEPT_BLOCKS = 4000
"""Blocks that are remembered, beside the first: about 7 KB each when packed."""
UNPACKED_BLOCKS = 32
"""The newest of them, which nearly all questions are about."""


@dataclass(frozen=True)
class Entry:
    """A block with its transactions in full, and their receipts in order."""

    block: Wire
    receipts: list[Wire]


Packed: TypeAlias = bytes
"""An entry as compressed JSON."""


class Archive:
    """Blocks by number and hash, transactions and receipts by hash."""

    def __init__(self, genesis: Wire) -> None:
        self._genesis = Entry(genesis, [])
        self._first = 1
        self._packed: deque[Packed] = deque()
        self._newest: deque[Entry] = deque()
        self._numbers: dict[str, int] = {genesis["hash"]: 0}
        self._places: dict[str, tuple[int, int]] = {}

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self._first + len(self._packed) + len(self._newest) - 1

    def add(self, entry: Entry) -> None:
        """Remember the next block."""
        self._newest.append(entry)
        number = to_int(entry.block["number"])
        self._numbers[entry.block["hash"]] = number
        for index, transaction in enumerate(entry.block["transactions"]):
            self._places[transaction["hash"]] = (number, index)
        if len(self._newest) > UNPACKED_BLOCKS:
            self._packed.append(_pack(self._newest.popleft()))
        if len(self._packed) + len(self._newest) > KEPT_BLOCKS:
            gone = _unpack(self._packed.popleft())
            self._first += 1
            del self._numbers[gone.block["hash"]]
            for transaction in gone.block["transactions"]:
                del self._places[transaction["hash"]]

    def entry(self, number: int) -> Entry | None:
        """A block by its number, if it is remembered."""
        if number == 0:
            return self._genesis
        index = number - self._first
        if not 0 <= index < len(self._packed) + len(self._newest):
            return None
        if index < len(self._packed):
            return _unpack(self._packed[index])
        return self._newest[index - len(self._packed)]

    def number_of(self, block_hash: str) -> int | None:
        """A remembered block's number."""
        return self._numbers.get(block_hash)

    def transaction(self, transaction_hash: str) -> Wire | None:
        """A mined transaction."""
        entry, index = self._place(transaction_hash)
        found: Wire | None = entry.block["transactions"][index] if entry else None
        return found

    def receipt(self, transaction_hash: str) -> Wire | None:
        """A mined transaction's receipt."""
        entry, index = self._place(transaction_hash)
        return entry.receipts[index] if entry else None

    def _place(self, transaction_hash: str) -> tuple[Entry | None, int]:
        number, index = self._places.get(transaction_hash, (-1, 0))
        return self.entry(number), index


def _pack(entry: Entry) -> Packed:
    return zlib.compress(json.dumps([entry.block, entry.receipts]).encode(), level=6)


def _unpack(packed: Packed) -> Entry:
    return Entry(*json.loads(zlib.decompress(packed)))
