"""Everybody else on the pools: ordinary accounts that really swap, and so make spreads arise, revert and disappear.

Nobody knows where the price goes: a hidden fair value wanders, value traders each see it with an error of their own and
trade towards it, momentum traders follow what moved, a whale trades rarely and much, and a slow arbitrageur closes
spreads that he saw some blocks ago. All of them stay away while gas costs more than they would pay, so that the base
fee settles where demand meets the block's size.
"""

from __future__ import annotations

import logging
import math
import random
from collections import deque
from dataclasses import dataclass

from arbitrage_bot.chain.account import Account, calldata
from arbitrage_bot.chain.genesis import BASE_UNIT, OPENING_PRICE, QUOTE_UNIT, Market
from arbitrage_bot.chain.mempool import Refused
from arbitrage_bot.chain.wire import to_bytes

logger = logging.getLogger(__name__)

SWAP = "swapExactIn(address,uint256,uint256,address,uint256)"
SWAP_GAS = 160_000
DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class Temper:
    """How wild the market is. Ratios are per block unless said otherwise."""

    value_traders: int = 10
    momentum_traders: int = 2
    fair_value_volatility: float = 0.0012
    fair_value_pull: float = 0.002
    belief_error: float = 0.02
    activity: float = 0.8
    """Probability that a value trader wants to trade in a block."""
    size_base: float = 0.5
    """Median size of a value trader's swap, in WETH."""
    whale_activity: float = 0.03
    whale_size_base: float = 7.0
    momentum_threshold: float = 0.003
    rival_lag_blocks: int = 2
    rival_activity: float = 0.85
    rival_threshold: float = 0.009
    gas_limit_gwei: float = 2.0
    """Median of what a trader would pay for a unit of gas."""

    @property
    def traders(self) -> int:
        """Accounts that it takes: all traders, with the whale and the slow arbitrageur."""
        return self.value_traders + self.momentum_traders + 2


class Traders:
    """The other accounts, acting once a block. One seed gives one course of events on one course of the pools."""

    def __init__(self, market: Market, seed: int, temper: Temper) -> None:
        self._node = market.node
        self._temper = temper
        self._random = random.Random(seed)  # noqa: S311  a market, not a secret
        self._base, self._quote = market.deployment.base.address, market.deployment.quote.address
        self._pools = [place.address for place in market.deployment.pools]
        accounts = list(market.traders)
        self._value = [accounts.pop() for _ in range(self._temper.value_traders)]
        self._momentum = [accounts.pop() for _ in range(self._temper.momentum_traders)]
        self._whale, self._rival = accounts
        self._fair = float(OPENING_PRICE)
        self._seen: deque[list[tuple[int, int]]] = deque(maxlen=12)

    def act(self) -> None:
        """Let everyone look at the newest block and send what they want into the next."""
        reserves = [self._reserves(pool) for pool in self._pools]
        self._seen.append(reserves)
        prices = [_price(each) for each in reserves]
        temper, dice = self._temper, self._random
        pull = temper.fair_value_pull * math.log(OPENING_PRICE / self._fair)
        self._fair *= math.exp(pull + dice.gauss(0, temper.fair_value_volatility))
        for account in self._value:
            if dice.random() < temper.activity:
                pool = dice.randrange(2)
                belief = self._fair * math.exp(dice.gauss(0, temper.belief_error))
                size = temper.size_base * dice.lognormvariate(0, 0.8)
                self._swap(account, pool, buys_base=prices[pool] < belief, size_base=size, tolerance=0.01)
        for account in self._momentum:
            self._follow(account, dice.randrange(2), prices)
        if dice.random() < temper.whale_activity:
            size = temper.whale_size_base * dice.lognormvariate(0, 0.5)
            self._swap(self._whale, dice.randrange(2), buys_base=dice.random() < 0.5, size_base=size, tolerance=0.05)
        if dice.random() < temper.rival_activity:
            self._close_spread()

    def _follow(self, account: Account, pool: int, prices: list[float]) -> None:
        """Momentum: buy what rose over the last blocks, sell what fell."""
        if len(self._seen) < 8 or self._random.random() > 0.3:
            return
        change = prices[pool] / _price(self._seen[-8][pool]) - 1
        if abs(change) > self._temper.momentum_threshold:
            size = self._temper.size_base * self._random.lognormvariate(0.3, 0.6)
            self._swap(account, pool, buys_base=change > 0, size_base=size, tolerance=0.01)

    def _close_spread(self) -> None:
        """The slow arbitrageur: trades on a spread as it was some blocks ago, both legs into one block."""
        if len(self._seen) <= self._temper.rival_lag_blocks:
            return
        old = self._seen[-1 - self._temper.rival_lag_blocks]
        first, second = (_price(each) for each in old)
        if abs(first / second - 1) < self._temper.rival_threshold:
            return
        cheap = 0 if first < second else 1
        size = 0.25 * (abs(first / second - 1) - 0.006) * old[cheap][0] / BASE_UNIT
        self._swap(self._rival, cheap, buys_base=True, size_base=size, tolerance=0.003, tip_gwei=1.2)
        self._swap(self._rival, 1 - cheap, buys_base=False, size_base=size, tolerance=0.003, tip_gwei=1.2)

    def _swap(
        self,
        account: Account,
        pool: int,
        *,
        buys_base: bool,
        size_base: float,
        tolerance: float,
        tip_gwei: float | None = None,
    ) -> None:
        """Send a swap worth about `size_base` WETH, unless gas costs more than this trade is worth to the trader."""
        dice = self._random
        tip = int((tip_gwei or dice.lognormvariate(math.log(0.1), 0.8)) * 1e9)
        limit = int(self._temper.gas_limit_gwei * dice.lognormvariate(0, 0.6) * 1e9)
        if self._node.next_base_fee + tip > limit:
            return
        reserve_base, reserve_quote = self._reserves(self._pools[pool])
        amount = int(size_base * BASE_UNIT * (reserve_quote / reserve_base if buys_base else 1))
        token, reserve_in, reserve_out = (
            (self._quote, reserve_quote, reserve_base) if buys_base else (self._base, reserve_base, reserve_quote)
        )
        if amount > self._balance(token, account):
            return  # out of funds on this side until a trade the other way
        expected = amount * 997 * reserve_out // (reserve_in * 1000 + amount * 997)
        deadline = self._node.timestamp + DEADLINE_SECONDS
        payload = calldata(SWAP, token, amount, int(expected * (1 - tolerance)), account.address, deadline)
        try:
            account.send(self._node, self._pools[pool], payload, gas=SWAP_GAS, tip_wei=tip, max_fee_wei=limit + tip)
        except Refused as refusal:
            logger.info("a trader's swap was refused: %s", refusal)

    def _reserves(self, pool: str) -> tuple[int, int]:
        """A pool's WETH and USDC, in their smallest units. The genesis made WETH token0."""
        output = self._node.call(bytes(20), to_bytes(pool, 20), calldata("getReserves()"))
        return int.from_bytes(output[:32], "big"), int.from_bytes(output[32:64], "big")

    def _balance(self, token: str, account: Account) -> int:
        output = self._node.call(bytes(20), to_bytes(token, 20), calldata("balanceOf(address)", account.address))
        return int.from_bytes(output, "big")


def _price(reserves: tuple[int, int]) -> float:
    """USDC for a WETH, before fees."""
    return (reserves[1] / QUOTE_UNIT) / (reserves[0] / BASE_UNIT)
