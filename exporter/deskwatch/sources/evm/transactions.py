"""Following the watched wallets' transactions: none told twice, none left out but in words.

A wallet's nonce says how many it has had mined, so blocks are read only where it rose. What a reorg took back is looked
for again, and what waits is looked for in the node's pending block, where it shows one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from deskwatch.sources.evm.blocks import Blocks, NotYet
from deskwatch.sources.evm.complaints import Complaints
from deskwatch.sources.evm.errors import Garbled
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.landed import sending
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.outcomes import Outcomes
from deskwatch.sources.evm.pools import Pools
from deskwatch.sources.evm.reading import Asks
from deskwatch.sources.evm.search import Span, newest_blocks, rises
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.watched import Watched

ABOUT = "the wallets' transactions"
PATIENCE_SECONDS = 900.0
"""What can't be read for so long is told as missing, and the watch goes on behind it."""


class Nonces(NamedTuple):
    """A wallet's, as of a head."""

    mined: int
    """Transactions that it has had mined."""
    pending: int | None
    """Transactions that wait; None where the node can't tell."""


class Transactions:
    """Of all watched wallets."""

    def __init__(
        self,
        asks: Asks,
        watched: Watched,
        settings: Settings,
        memory: EvmMemory,
        pools: Pools,
        complaints: Complaints,
    ) -> None:
        self._asks = asks
        self._settings = settings
        self._ledger = memory.ledger
        self._complaints = complaints
        self._blocks = Blocks(asks, memory)
        self._outcomes = Outcomes(asks, watched, settings, memory.ledger, pools)
        self._names = {one.address.lower(): one.name for one in settings.wallets}
        self._looked: dict[str, Nonces] = {}
        self._quiet: dict[str, float] = {}
        """Since when the node says that nothing waits, though something was told as waiting: by address."""
        self._troubled: float | None = None
        """Since when they can't be read, as `time.monotonic` has it."""

    async def follow(self, head: Head, nonces: Mapping[str, Nonces]) -> bool:
        """Journal what was mined since the wallets were told of last, and what waits.

        Args:
            head: The newest block.
            nonces: By address in small letters.

        Returns:
            Whether all up to this head is told; else the next head is the next try.
        """
        if not self._settings.transactions:
            return True
        self._blocks.at_head(head)
        try:
            self._doubt_all_of_a_chain_begun_anew(head, nonces)
            await self._settle(tuple(self._ledger.doubtful))
            await self._mined(self._spans(head, nonces))
            await self._settle(self._passed(nonces))
        except (NotYet, Garbled) as why:
            self._complaints.raise_(ABOUT, str(why))
            return self._gives_up(head, nonces, str(why))
        self._complaints.settle(ABOUT)
        self._troubled = None
        await self._waiting(nonces)
        self._forget(nonces)
        return True

    def _gives_up(self, head: Head, nonces: Mapping[str, Nonces], why: str) -> bool:
        """Whether it could not be read for so long that it never will be, as nodes forget what is old."""
        now = time.monotonic()
        self._troubled = now if self._troubled is None else self._troubled
        if now - self._troubled < PATIENCE_SECONDS:
            return False
        for address, span in self._spans(head, nonces).items():
            self._complaints.tell(
                f"up to {span.nonce_upto - span.nonce_after} transactions of wallet {self._names[address]} in blocks "
                f"{span.after + 1} to {span.upto} are not told: {why}; they are missing in its counts and its gas"
            )
        self._ledger.doubtful.clear()
        self._troubled = None
        return True

    # What was mined

    def _spans(self, head: Head, nonces: Mapping[str, Nonces]) -> dict[str, Span]:
        """Where each wallet's nonce rose since it was told of last."""
        found = {}
        for address, now in nonces.items():
            seen = self._ledger.wallets.get(address)
            if seen is not None and seen.block < head.number and seen.nonce < now.mined:
                found[address] = Span(seen.block, seen.nonce, head.number, now.mined)
        return found

    async def _mined(self, spans: Mapping[str, Span]) -> None:
        parts = {address: await rises(self._asks, address, span) for address, span in spans.items()}
        numbers, unread = newest_blocks(
            [one for some in parts.values() for one in some], self._settings.max_catch_up_blocks
        )
        counts = dict.fromkeys(spans, 0)
        ours: list[tuple[dict[str, Any], Head]] = []
        async for block in self._blocks.full(numbers):
            for told in block.transactions or ():
                sender = str(told.get("from")).lower()
                if sender in spans and block.number > spans[sender].after:
                    counts[sender] += 1
                    if str(told.get("hash")).lower() not in self._ledger.mined:
                        ours.append((told, msgspec.structs.replace(block, transactions=None)))
        await self._outcomes.tell(await self._blocks.landed(ours))
        if unread:
            for address, span in spans.items():
                self._tell_missed(address, span, counts[address], unread)

    def _tell_missed(self, address: str, span: Span, found: int, unread: int) -> None:
        missed = span.nonce_upto - span.nonce_after - found
        if missed > 0:
            self._complaints.tell(
                f"{missed} transactions of wallet {self._names[address]} in blocks {span.after + 1} to {span.upto} are "
                f"not told: {unread} blocks were not read (max_catch_up_blocks is "
                f"{self._settings.max_catch_up_blocks}); they are missing in its counts and its gas"
            )

    # What has to be looked for by its hash

    def _passed(self, nonces: Mapping[str, Nonces]) -> list[str]:
        """What was told as sent, and has a nonce that is used by now: mined unseen, or replaced."""
        return [
            name
            for name, (sender, nonce) in self._ledger.waiting.items()
            if (now := nonces.get(sender.lower())) is not None and nonce < now.mined
        ]

    def _doubt_all_of_a_chain_begun_anew(self, head: Head, nonces: Mapping[str, Nonces]) -> None:
        """A chain that is shorter than it was, or knows less of a wallet, without a reorg that says from where on."""
        for address, now in nonces.items():
            seen = self._ledger.wallets.get(address)
            if seen is not None and (now.mined < seen.nonce or head.number < seen.block):
                mine = [name for name, one in self._ledger.mined.items() if one.sender.lower() == address]
                self._ledger.doubtful += [name for name in mine if name not in self._ledger.doubtful]

    async def _settle(self, names: list[str] | tuple[str, ...]) -> None:
        """Look for transactions whose end is not known, or in doubt, and tell what is new of them."""
        for name, found in (await self._blocks.look_up(names)).items() if names else ():
            known = self._ledger.mined.get(name)
            if found is not None:
                figures = (found.block, found.succeeded, found.gas_used, str(found.gas_price_wei))
                if known is None or figures != (known.block, known.succeeded, known.gas_used, known.gas_price_wei):
                    await self._outcomes.tell([found])
            elif known is not None:
                self._outcomes.dropped(name, known.sender, known.nonce, "reorganized", known.block)
            elif name in self._ledger.waiting:
                self._outcomes.dropped(name, *self._ledger.waiting[name], "replaced")
            self._ledger.doubt_no_more(name)

    # What waits

    async def _waiting(self, nonces: Mapping[str, Nonces]) -> None:
        """Look for the wallets' transactions in the pending block, whenever what waits of theirs changed."""
        changed = {address for address, now in nonces.items() if now.pending and self._looked.get(address) != now}
        self._looked.update(nonces)
        if not changed:
            return
        (pending,) = await self._asks.batch([("eth_getBlockByNumber", ("pending", True))])
        listed = pending.get("transactions") if isinstance(pending, dict) else None
        for told in listed if isinstance(listed, list) else ():
            if not isinstance(told, dict):
                continue
            sender = str(told.get("from")).lower()
            if sender in changed:
                one = sending(told)
                if one.nonce >= nonces[sender].mined and not self._ledger.is_told(one.hash):
                    self._outcomes.sent(one)

    def _forget(self, nonces: Mapping[str, Nonces]) -> None:
        """Nodes throw out what pays too little for too long, and tell nobody: nothing waits then, by their count."""
        for address, now in nonces.items():
            waiting = [(name, told) for name, told in self._ledger.waiting.items() if told[0].lower() == address]
            if now.pending != 0 or not waiting:
                self._quiet.pop(address, None)
            elif time.monotonic() - self._quiet.setdefault(address, time.monotonic()) >= PATIENCE_SECONDS:
                for name, (sender, nonce) in waiting:
                    self._outcomes.dropped(name, sender, nonce, "forgotten")
