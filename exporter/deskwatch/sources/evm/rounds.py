"""Going round the endpoints: those at fault are tried again, and one whose chain stands still is found out."""

from __future__ import annotations

import asyncio

from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import EndpointFault
from deskwatch.sources.evm.question import Question
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.rpc import STALE, Rpc
from deskwatch.sources.evm.wire import whole

LEAST_SECONDS, MOST_SECONDS = 2.0, 60.0
_NUMBER: Question = ("eth_blockNumber", ())


class Rounds:
    """Needs two endpoints at least: one alone can't be compared, and is asked all the time anyway."""

    def __init__(self, rpc: Rpc, rhythm: Rhythm) -> None:
        self._rpc = rpc
        self._rhythm = rhythm

    @property
    def period_seconds(self) -> float:
        """From round to round: an endpoint lies stale for twice as long at most, once its head is old."""
        return min(max(self._rhythm.stale_seconds / 2, LEAST_SECONDS), MOST_SECONDS)

    async def go(self) -> None:
        """Go round until canceled."""
        while len(self._rpc.endpoints) > 1:
            await asyncio.sleep(self.period_seconds)
            await self.once()

    async def once(self) -> None:
        """Ask each endpoint for its newest block's number, and judge."""
        asked = [one for one in self._rpc.endpoints if _is_stale(one) or one.may_be_asked()]
        answered = await asyncio.gather(*(self._number(one) for one in asked))
        heads = {one: number for one, number in zip(asked, answered, strict=True) if number is not None}
        newest = max(heads.values(), default=0)
        bound = self._rhythm.stale_blocks
        for endpoint, number in heads.items():
            behind = newest - number
            if endpoint.fault is None and behind > bound:
                words = f"its newest block is {number}, and another endpoint's {newest}"
                self._rpc.distrust(endpoint, EndpointFault(STALE, words))
            elif _is_stale(endpoint) and behind <= max(1, bound // 2):
                self._rpc.trust(endpoint)

    async def _number(self, endpoint: Endpoint) -> int | None:
        try:
            (answer,) = await self._rpc.ask_one(endpoint, [_NUMBER])
        except EndpointFault:
            return None  # told
        try:
            return whole(answer, "its newest block's number")
        except EndpointFault as fault:
            self._rpc.distrust(endpoint, fault)
            return None


def _is_stale(endpoint: Endpoint) -> bool:
    return endpoint.fault is not None and endpoint.fault.reason == STALE
