"""What a watch of a chain remembers of what it told."""

from __future__ import annotations

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event
from deskwatch.sources.evm.ledger import Ledger
from deskwatch.sources.memory import Memory

KEPT_BLOCKS = 128
"""Newest blocks whose hashes are remembered: a deeper reorg is told as a chain that began anew."""


OF_LEDGER = (
    ev.WalletObserved,
    ev.TransactionSent,
    ev.TransactionConfirmed,
    ev.TransactionReverted,
    ev.TransactionDropped,
    ev.ReorgObserved,
)
"""What the ledger is made of."""


class EvmMemory(Memory, kw_only=True):
    """Of one chain."""

    chain: str = ""
    """Which chain `blocks` are of: another one may be configured for the same bot."""
    blocks: list[tuple[int, str, float]] = msgspec.field(default_factory=list)
    """Number, hash and own time of the newest blocks that were told, in the chain's order."""
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    """What was told of the wallets' transactions."""

    def watch(self, chain: str) -> None:
        """This chain is watched from now on: what was told of another's transactions says nothing of this one's."""
        if self.ledger.chain != chain:
            self.ledger = Ledger(chain=chain)

    def fold(self, event: Event) -> None:
        """Take in an event that is in the journal now."""
        if isinstance(event, OF_LEDGER):
            self.watch(event.chain)
            self.ledger.fold(event)
        match event:
            case ev.BlockObserved() if event.hash is not None:
                if event.chain != self.chain:
                    self.chain, self.blocks = event.chain, []
                del self.blocks[: -KEPT_BLOCKS + 1]
                while self.blocks and self.blocks[-1][0] >= event.block:
                    self.blocks.pop()
                self.blocks.append((event.block, event.hash, event.block_timestamp_seconds or 0.0))
            case ev.ReorgObserved() if event.chain == self.chain:
                while self.blocks and self.blocks[-1][0] > event.block:
                    self.blocks.pop()
            case _:
                pass
