"""What gas costs: the node's advice, the base fee, and the tip that is usual."""

from __future__ import annotations

import statistics
import time

from deskwatch.events import GasPriceObserved
from deskwatch.sources.evm.errors import NO_METHOD, RpcError
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.wire import quantity
from deskwatch.sources.watched import Watched

RECENT_BLOCKS = 5
"""The tip is the median of the medians of so many blocks."""
AGAIN_SECONDS = 60.0
"""A price that stays is told so often."""
_PRICE: Question = ("eth_gasPrice", ())
_TIPS: Question = ("eth_feeHistory", (hex(RECENT_BLOCKS), "latest", (50,)))


class Gas:
    """A part of the watch. It looks at the newest head alone: prices of the past are nobody's."""

    def __init__(self, rpc: Rpc, watched: Watched, chain: str) -> None:
        self._rpc = rpc
        self._watched = watched
        self._chain = chain
        self._has_history = True
        self._told: GasPriceObserved | None = None
        self._told_at = 0.0

    async def at_head(self, head: Head) -> None:
        """Tell what gas costs at this head, if that is news."""
        if not head.is_newest:
            return
        price, *more = await self._rpc.batch([_PRICE, _TIPS] if self._has_history else [_PRICE])
        if more and isinstance(more[0], RpcError) and more[0].code == NO_METHOD:
            self._has_history = False
        wei = quantity(price)
        if wei is None:
            return  # a chain whose node advises nothing: the doctor says so
        tip = usual_tip(more[0]) if more else None
        found = GasPriceObserved(
            chain=self._chain,
            gas_price_wei=str(wei),
            base_fee_wei=None if head.base_fee is None else str(head.base_fee),
            priority_fee_wei=None if tip is None else str(tip),
        )
        now = time.monotonic()
        if (found != self._told or now - self._told_at >= AGAIN_SECONDS) and self._watched.emit(found):
            self._told, self._told_at = found, now

    async def reorganized(self, depth: int, head: Head) -> None:
        """Prices of blocks that were left are not taken back."""


def usual_tip(history: Answer) -> int | None:
    """Wei for a unit of gas: the median over the blocks of an `eth_feeHistory` asked for the 50th percentile.

    None where the node tells no rewards, as test chains do, or the blocks are empty.
    """
    if not isinstance(history, dict) or not isinstance(rewards := history.get("reward"), list):
        return None
    ratios = history.get("gasUsedRatio")
    used = ratios if isinstance(ratios, list) and len(ratios) == len(rewards) else [1] * len(rewards)
    tips = [
        tip
        for reward, ratio in zip(rewards, used, strict=True)
        if ratio and isinstance(reward, list) and reward and (tip := quantity(reward[0])) is not None
    ]
    return int(statistics.median(tips)) if tips else None
