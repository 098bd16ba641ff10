"""The arithmetic of arbitrage between two constant-product pools that charge 0.3 %.

A pool with reserves `in` and `out` pays `a·997·out / (in·1000 + a·997)` for `a`, rounded down, as its contract does.
All amounts are integers in the tokens' smallest units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FEE_NUMERATOR, FEE_DENOMINATOR = 997, 1000
FEE_RATIO = 1 - FEE_NUMERATOR / FEE_DENOMINATOR
"""What a pool keeps of each swap's input."""


@dataclass(frozen=True)
class Reserves:
    """What a pool holds."""

    base: int
    quote: int

    def buy(self, quote: int) -> int:
        """Base that the pool pays for `quote`."""
        return amount_out(quote, self.quote, self.base)

    def sell(self, base: int) -> int:
        """Quote that the pool pays for `base`."""
        return amount_out(base, self.base, self.quote)


@dataclass(frozen=True)
class Spread:
    """A round trip that would pay before gas: buy on one pool, sell on the other."""

    cheap: int
    """Which pool to buy on: 0 or 1."""
    ratio: float
    """Dear price over cheap price, less one."""
    size: int
    """Quote to put in."""
    bought: int
    """Base that it buys."""
    proceeds: int
    """Quote that selling it brings."""

    @property
    def dear(self) -> int:
        """Which pool to sell on."""
        return 1 - self.cheap

    @property
    def profit(self) -> int:
        """Quote gained, after the pools' fees and before gas."""
        return self.proceeds - self.size


def amount_out(amount_in: int, reserve_in: int, reserve_out: int) -> int:
    """What a pool pays for `amount_in`."""
    after_fee = amount_in * FEE_NUMERATOR
    return after_fee * reserve_out // (reserve_in * FEE_DENOMINATOR + after_fee)


def best_size(cheap: Reserves, dear: Reserves) -> int:
    """The quote amount whose round trip gains most; 0 if none gains.

    With f the share after the fee, the round trip of x pays `f²·x·bᶜ·qᵈ / (qᶜ·bᵈ + x·(f·bᵈ + f²·bᶜ))`, whose gain is
    greatest at `x = (f·√(bᶜ·qᵈ·qᶜ·bᵈ) - qᶜ·bᵈ) / (f·bᵈ + f²·bᶜ)`. Multiplied by 1000² to stay in integers.
    """
    n, d = FEE_NUMERATOR, FEE_DENOMINATOR
    root = math.isqrt(n * n * d * d * cheap.base * dear.quote * cheap.quote * dear.base)
    gain = root - d * d * cheap.quote * dear.base
    return max(0, gain // (n * d * dear.base + n * n * cheap.base))


def find_spread(first: Reserves, second: Reserves, max_size: int) -> Spread | None:
    """The best round trip between two pools of one pair, or None if fees eat it.

    Args:
        first: Pool 0.
        second: Pool 1.
        max_size: Most quote to put in.
    """
    if 0 in (first.base, first.quote, second.base, second.quote):
        return None
    pools = (first, second)
    cheap = 0 if first.quote * second.base < second.quote * first.base else 1
    buy_from, sell_to = pools[cheap], pools[1 - cheap]
    size = min(best_size(buy_from, sell_to), max_size)
    bought = buy_from.buy(size)
    proceeds = sell_to.sell(bought)
    if proceeds <= size:
        return None
    ratio = (sell_to.quote * buy_from.base) / (sell_to.base * buy_from.quote) - 1
    return Spread(cheap, ratio, size, bought, proceeds)


def amount_in(amount_out: int, reserve_in: int, reserve_out: int) -> int:
    """The least input for which a pool pays at least `amount_out`.

    Raises:
        ValueError: The pool does not hold that much.
    """
    if amount_out >= reserve_out:
        raise ValueError(f"expected less than the reserve of {reserve_out}, was {amount_out}")
    return -(-amount_out * reserve_in * FEE_DENOMINATOR // ((reserve_out - amount_out) * FEE_NUMERATOR))
