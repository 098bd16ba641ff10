"""What is known of watched wallets' transactions: what was told of them, folded from the journal.

It is what keeps a restart, an outage or a reorg from having a transaction told twice, or not at all.
"""

from __future__ import annotations

from statistics import median
from typing import TypeVar

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event

MAX_MINED = 1000
"""Newest mined transactions that are remembered; a reorg that takes back more has the others told as they are told."""
MAX_WAITING = 200
USUAL = 20
"""Newest transactions of a wallet that say what one costs it."""

_T = TypeVar("_T")


class Seen(msgspec.Struct, kw_only=True):
    """A wallet as it was told last."""

    block: int
    nonce: int
    pending: int | None = None


class Mined(msgspec.Struct, kw_only=True):
    """A transaction as it was told."""

    sender: str
    nonce: int
    """-1 where it is not known any more."""
    block: int
    succeeded: bool
    gas_used: int
    gas_price_wei: str


class Ledger(msgspec.Struct, kw_only=True):
    """Of one chain. Addresses and hashes are in small letters."""

    chain: str = ""
    """Which chain that is."""
    wallets: dict[str, Seen] = {}
    """By address."""
    waiting: dict[str, tuple[str, int]] = {}
    """Told as sent, and not yet as mined or replaced: hash → sender and nonce."""
    forgotten: dict[str, tuple[str, int]] = {}
    """Told as sent, and unknown to the node or not watched since: hash → sender and nonce."""
    mined: dict[str, Mined] = {}
    """Told as mined, and on the chain as far as is known: by hash."""
    dropped: dict[str, Mined] = {}
    """Told as mined, and taken back by a reorg since: by hash."""
    doubtful: list[str] = []
    """Told as mined in blocks that a reorg took away, and not looked for since: hashes, the oldest first."""
    costs: dict[str, list[float]] = {}
    """What a wallet's newest transactions cost, in the native coin: by address."""

    def fold(self, event: Event) -> None:
        """Take in an event that is in the journal now."""
        match event:
            case ev.WalletObserved():
                self.wallets[event.address.lower()] = Seen(block=event.block, nonce=event.nonce, pending=event.pending)
            case ev.TransactionSent():
                _keep(self.waiting, event.transaction, (event.sender, event.nonce), MAX_WAITING)
            case ev.TransactionConfirmed() | ev.TransactionReverted():
                self._fold_mined(event)
            case ev.TransactionDropped(reason="reorganized"):
                self.doubt_no_more(event.transaction)
                if (was := self.mined.pop(event.transaction, None)) is not None:
                    _keep(self.dropped, event.transaction, was, MAX_WAITING)
                _keep(self.waiting, event.transaction, (event.sender, event.nonce), MAX_WAITING)
            case ev.TransactionDropped():
                self.waiting.pop(event.transaction, None)
                if event.reason in ("forgotten", "unwatched"):
                    _keep(self.forgotten, event.transaction, (event.sender, event.nonce), MAX_WAITING)
                    return
                self.dropped.pop(event.transaction, None)
            case ev.ReorgObserved():
                self._fold_reorg(event.block)

    def doubt_no_more(self, transaction: str) -> None:
        """It was looked for."""
        if transaction in self.doubtful:
            self.doubtful.remove(transaction)

    def nonce_of(self, transaction: str) -> int | None:
        """The nonce that a transaction was told with."""
        known = self.mined.get(transaction) or self.dropped.get(transaction)
        waited = self.waiting.get(transaction) or self.forgotten.get(transaction)
        return known.nonce if known is not None else waited[1] if waited is not None else None

    def is_told(self, transaction: str) -> bool:
        """Whether it was told as sent."""
        return any(transaction in told for told in (self.waiting, self.forgotten, self.mined, self.dropped))

    def usual_cost(self, address: str) -> float | None:
        """What a transaction costs this wallet: the median of its newest. None before the first."""
        costs = self.costs.get(address.lower())
        return median(costs) if costs else None

    def _fold_mined(self, event: ev.TransactionConfirmed | ev.TransactionReverted) -> None:
        nonce = self.nonce_of(event.transaction)
        self.waiting.pop(event.transaction, None)
        self.dropped.pop(event.transaction, None)
        self.forgotten.pop(event.transaction, None)
        self.doubt_no_more(event.transaction)
        mined = Mined(
            sender=event.sender,
            nonce=-1 if nonce is None else nonce,
            block=event.block,
            succeeded=isinstance(event, ev.TransactionConfirmed),
            gas_used=event.gas_used,
            gas_price_wei=event.gas_price_wei,
        )
        _keep(self.mined, event.transaction, mined, MAX_MINED)
        if event.gas_cost and not event.again:
            costs = self.costs.setdefault(event.sender.lower(), [])
            costs.append(event.gas_cost)
            del costs[:-USUAL]

    def _fold_reorg(self, block: int) -> None:
        """Each wallet is known as of a block that is still of the chain: what came after is read anew."""
        self.doubtful = [name for name, one in self.mined.items() if one.block > block]
        for address, seen in self.wallets.items():
            if seen.block > block:
                taken = [
                    one.nonce
                    for one in self.mined.values()
                    if one.block > block and one.sender.lower() == address and one.nonce >= 0
                ]
                self.wallets[address] = Seen(block=block, nonce=min([seen.nonce, *taken]), pending=seen.pending)


def _keep(kept: dict[str, _T], key: str, value: _T, most: int) -> None:
    """Set as the newest, and forget the oldest beyond `most`."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
