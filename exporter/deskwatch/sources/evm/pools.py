"""Pools of the Uniswap V2 kind: reserves, and the price that they make."""

from __future__ import annotations

import time
from typing import NamedTuple

from deskwatch import events as ev
from deskwatch.sources.evm.abi import Undecodable, View, answer, calldata, view
from deskwatch.sources.evm.complaints import Complaints
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.head import Head
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.reading import Asks, Due, at
from deskwatch.sources.evm.settings import Pool, Settings
from deskwatch.sources.evm.tokens import KnownToken, Tokens
from deskwatch.sources.watched import Watched

RESERVES = view("getReserves()(uint112,uint112,uint32)")
SIDES = (view("token0()(address)"), view("token1()(address)"))
RETRY_SECONDS = 60.0
"""What was no pool is asked again after so long."""
FRESH_SECONDS = 20.0
"""A price that stays is told again at the first block after this time, so that it does not look old: `BotPriceStale`
and the objective of fresh prices begin at 60 s, and a block of 12 s may be missing."""


class Pair(NamedTuple):
    """A pool whose tokens are known."""

    pool: Pool
    base: KnownToken
    quote: KnownToken
    is_base_first: bool
    """Whether the base is token0."""

    def question(self, block: str) -> Question:
        """Its reserves as of a block."""
        return ("eth_call", ({"to": self.pool.address, "data": calldata(RESERVES)}, block))

    def reserves(self, told: Answer) -> tuple[float, float]:
        """Base and quote in whole units.

        Raises:
            RpcError: The node said no.
            Undecodable: It is no such answer.
        """
        if isinstance(told, RpcError):
            raise told
        first, second, _ = answer(RESERVES, told)
        base, quote = (first, second) if self.is_base_first else (second, first)
        return self.base.units(base), self.quote.units(quote)


class Pools:
    """The configured ones."""

    def __init__(
        self, asks: Asks, watched: Watched, settings: Settings, tokens: Tokens, complaints: Complaints
    ) -> None:
        self._asks = asks
        self._watched = watched
        self._chain = settings.chain
        self._asset = settings.asset
        self._tokens = tokens
        self._complaints = complaints
        self._unknown = list(settings.pools)
        self._order = [one.name for one in settings.pools]
        self._pairs: list[Pair] = []
        self._due = Due(min(settings.observe_seconds, FRESH_SECONDS))
        self._next_try = 0.0

    async def prepare(self) -> None:
        """Find out which tokens they hold."""
        if not self._unknown or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + RETRY_SECONDS
        told = iter(await self._asks.batch([_side(one, call) for one in self._unknown for call in SIDES]))
        sides = {one.name: [_address(next(told), call) for call in SIDES] for one in self._unknown}
        found = await self._tokens.find([side for two in sides.values() for side in two if side is not None])
        for pool in tuple(self._unknown):
            known = [found.get(side or "") for side in sides[pool.name]]
            pair = pair_of(pool, known[0], known[1])
            if isinstance(pair, str):
                self._complaints.raise_(f"pool {pool.name}", pair)
                continue
            self._complaints.settle(f"pool {pool.name}")
            self._unknown.remove(pool)
            self._pairs.append(pair)
        self._pairs.sort(key=lambda pair: self._order.index(pair.pool.name))

    def questions(self, head: Head) -> list[Question]:
        """The reserves of all."""
        return [pair.question(at(head)) for pair in self._pairs]

    async def take(self, head: Head, answers: list[Answer]) -> None:
        """Journal those that changed."""
        for pair, told in zip(self._pairs, answers, strict=True):
            about = f"the reserves of pool {pair.pool.name}"
            try:
                reserves = pair.reserves(told)
            except (RpcError, Undecodable) as error:
                self._complaints.raise_(about, str(error))
                continue
            self._complaints.settle(about)
            if self._due.is_due(pair.pool.name, reserves):
                self._watched.emit(self._observed(pair, *reserves, head))

    def _observed(self, pair: Pair, base: float, quote: float, head: Head) -> ev.PoolObserved:
        return ev.PoolObserved(
            venue=pair.pool.name,
            symbol=f"{pair.base.symbol}/{pair.quote.symbol}",
            chain=self._chain,
            contract=pair.pool.address,
            base_reserve=base,
            quote_reserve=quote,
            base_asset=pair.base.symbol,
            quote_asset=pair.quote.symbol,
            price=quote / base if base and quote else None,
            liquidity=2 * quote,
            block=head.number,
        )

    def of_native(self) -> Pair | None:
        """The first pool that trades the native coin (or the token that wraps it): what gas costs is told by it."""
        names = {self._asset.upper(), f"W{self._asset.upper()}"}
        return next((one for one in self._pairs if names & {one.base.symbol.upper(), one.quote.symbol.upper()}), None)

    def native_price(self, pair: Pair, told: Answer) -> tuple[float, str] | None:
        """What a native coin is worth by a pool's reserves, and in which asset; None where they don't tell."""
        try:
            base, quote = pair.reserves(told)
        except (RpcError, Undecodable):
            return None
        if not base or not quote:
            return None
        if pair.base.symbol.upper() in {self._asset.upper(), f"W{self._asset.upper()}"}:
            return quote / base, pair.quote.symbol
        return base / quote, pair.base.symbol


def _side(pool: Pool, call: View) -> Question:
    return ("eth_call", ({"to": pool.address, "data": calldata(call)}, "latest"))


def _address(told: Answer, call: View) -> str | None:
    try:
        (address,) = answer(call, None if isinstance(told, RpcError) else told)
    except Undecodable:
        return None
    return str(address).lower()


def pair_of(pool: Pool, first: KnownToken | str | None, second: KnownToken | str | None) -> Pair | str:
    """The pool with its tokens, or in words why it is none."""
    if first is None or second is None:
        return f"expected a pair of the Uniswap V2 kind at {pool.address}, was none; give another address"
    if isinstance(first, str) or isinstance(second, str):
        why = first if isinstance(first, str) else second
        return f"expected two ERC-20 tokens in it, but of one: {why}"
    wanted = (pool.base or first.symbol).lower()
    for base, quote, is_first in ((first, second, True), (second, first, False)):
        if wanted in (base.symbol.lower(), base.address):
            return Pair(pool, base, quote, is_first)
    return f"expected its base to be {first.symbol} or {second.symbol}, was {pool.base}; name one of them"
