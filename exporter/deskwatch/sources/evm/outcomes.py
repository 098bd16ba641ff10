"""Telling what came of a transaction: its events, with what it cost, and why it reverted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

from deskwatch import events as ev
from deskwatch.errors import DeskwatchError
from deskwatch.events import Event
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.landed import Landed, Sending
from deskwatch.sources.evm.ledger import Ledger
from deskwatch.sources.evm.pools import Pools
from deskwatch.sources.evm.purposes import Purposes
from deskwatch.sources.evm.reading import Asks
from deskwatch.sources.evm.reverts import UNKNOWN, Revert, of_bytes, of_error
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.lateness import late
from deskwatch.sources.watched import Watched

WEI = 10**18
MAX_SEEN = 200


class Untold(DeskwatchError):
    """The journal took an event not: what follows from it must not be told either, and is tried again."""


class Outcomes:
    """Of watched wallets' transactions."""

    def __init__(self, asks: Asks, watched: Watched, settings: Settings, ledger: Ledger, pools: Pools) -> None:
        self._asks = asks
        self._watched = watched
        self._chain = settings.chain
        self._asset = settings.asset
        self._ledger = ledger
        self._pools = pools
        self._purposes = Purposes((one.function, one.word) for one in settings.purposes)
        self._seen: dict[str, float] = {}
        """When a transaction was seen waiting: hash → Unix time."""

    def sent(self, sending: Sending, *, mined: float | None = None) -> None:
        """Journal a transaction that was not told yet, waiting or mined.

        Args:
            sending: The transaction.
            mined: Its block's Unix time; None while it waits. It was sent before that, nobody knows when.

        Raises:
            Untold: The journal did not take it.
        """
        if mined is None:
            self._seen[sending.hash] = time.time()
            if len(self._seen) > MAX_SEEN:
                del self._seen[next(iter(self._seen))]
        self._tell(
            ev.TransactionSent(
                chain=self._chain,
                transaction=sending.hash,
                sender=sending.sender,
                nonce=sending.nonce,
                purpose=self._purposes.word(sending.to, sending.data),
                to=sending.to,
                gas_limit=sending.gas_limit,
                max_fee_wei=None if sending.max_fee_wei is None else str(sending.max_fee_wei),
                happened_timestamp_seconds=late(mined, time.time()),
            )
        )

    async def tell(self, found: Sequence[Landed]) -> None:
        """Journal what came of transactions, in their order. What is known to the ledger already is told only if new.

        Raises:
            Untold: The journal did not take one.
        """
        prices = await self._prices(sorted({one.block for one in found}))
        for one in found:
            name = one.sending.hash
            known = self._ledger.mined.get(name) or self._ledger.dropped.get(name)
            if not self._ledger.is_told(name):
                self.sent(one.sending, mined=one.timestamp)
            if known is not None and known.succeeded is not one.succeeded and name in self._ledger.mined:
                self.dropped(name, known.sender, known.nonce, "reorganized", known.block)
            again = known is not None and known.succeeded is one.succeeded
            self._tell(await self._outcome(one, prices.get(one.block), again=again))
            self._seen.pop(name, None)

    def dropped(
        self,
        name: str,
        sender: str,
        nonce: int,
        reason: Literal["reorganized", "replaced", "forgotten"],
        block: int | None = None,
    ) -> None:
        """Journal that a transaction is not on the chain.

        Raises:
            Untold: The journal did not take it.
        """
        self._tell(
            ev.TransactionDropped(
                chain=self._chain,
                transaction=name,
                sender=sender,
                nonce=nonce,
                reason=reason,
                block=block,
            )
        )

    async def _prices(self, blocks: Sequence[int]) -> dict[int, tuple[float, str]]:
        """What a native coin was worth as of each block, where a pool tells, and the node still knows."""
        pair = self._pools.of_native()
        if pair is None or not blocks:
            return {}
        told = await self._asks.batch([pair.question(hex(block)) for block in blocks])
        found = {block: self._pools.native_price(pair, one) for block, one in zip(blocks, told, strict=True)}
        return {block: price for block, price in found.items() if price is not None}

    async def _outcome(
        self, one: Landed, price: tuple[float, str] | None, *, again: bool
    ) -> ev.TransactionConfirmed | ev.TransactionReverted:
        cost = one.cost_wei / WEI
        sent = self._seen.get(one.sending.hash)
        shared: dict[str, Any] = {  # of a type each
            "chain": self._chain,
            "transaction": one.sending.hash,
            "sender": one.sending.sender,
            "block": one.block,
            "gas_used": one.gas_used,
            "gas_price_wei": str(one.gas_price_wei),
            "gas_cost": cost,
            "asset": self._asset,
            "purpose": self._purposes.word(one.sending.to, one.sending.data),
            "gas_cost_quote": None if price is None else cost * price[0],
            "quote_asset": None if price is None else price[1],
            "inclusion_seconds": None if sent is None else max(0.0, min(one.timestamp, time.time()) - sent),
            "happened_timestamp_seconds": late(one.timestamp, time.time()),
            "again": again,
        }
        if one.succeeded:
            return ev.TransactionConfirmed(**shared)
        why = await self._why(one)
        return ev.TransactionReverted(**shared, reason=why.reason, message=why.message)

    async def _why(self, one: Landed) -> Revert:
        """Why it reverted: as the receipt has it, else of a replay on the state after its block, or before it.

        After comes first: it holds what others did in the same block before, which is what most often stood in the way.
        """
        if one.returned is not None and len(one.returned) >= 10:
            return of_bytes(one.returned)
        sending = one.sending
        call = {
            "from": sending.sender,
            "data": sending.data,
            "value": sending.value,
            "gas": hex(sending.gas_limit),
            **({} if sending.to is None else {"to": sending.to}),
        }
        asked = [("eth_call", (call, hex(block))) for block in (one.block, max(0, one.block - 1))]
        failures = [told for told in await self._asks.batch(asked) if isinstance(told, RpcError)]
        reverts = [of_error(told) for told in failures]
        known = next((revert for revert in reverts if revert.reason != UNKNOWN), None)
        if known is not None:
            return known
        if one.gas_used >= sending.gas_limit:
            return Revert("out_of_gas", "it used all its gas")
        if reverts:
            return reverts[0]
        return Revert(UNKNOWN, "its call succeeds on the states before and after its block")

    def _tell(self, event: Event) -> None:
        if not self._watched.emit(event):
            raise Untold(f"expected the journal to take a {type(event).__name__}, but it did not; see its own trouble")
