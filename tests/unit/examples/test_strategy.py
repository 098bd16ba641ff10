"""The arithmetic of arbitrage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbitrage_bot.strategy import Reserves, amount_in, amount_out, best_size, find_spread

bases = st.integers(10**18, 10**24)
prices = st.integers(100, 100_000)


@st.composite
def pools(draw: st.DrawFn) -> Reserves:
    """A pool of an 18-decimal base and a 6-decimal quote, at a plausible price."""
    base = draw(bases)
    return Reserves(base, base * draw(prices) // 10**12)


@st.composite
def near_pools(draw: st.DrawFn) -> tuple[Reserves, Reserves]:
    """Two pools whose prices are within some per cent of each other."""
    first = draw(pools())
    base = draw(bases)
    shift = draw(st.integers(900, 1100))
    return first, Reserves(base, base * first.quote * shift // (first.base * 1000))


def gain(cheap: Reserves, dear: Reserves, size: int) -> int:
    return dear.sell(cheap.buy(size)) - size


@given(near_pools())
def test_no_other_size_gains_more_than_the_best(pair: tuple[Reserves, Reserves]):
    """Brute force: sizes all around the closed form's answer gain no more, but for rounding."""
    first, second = pair
    cheap, dear = (first, second) if first.quote * second.base < second.quote * first.base else (second, first)
    best = best_size(cheap, dear)
    top = gain(cheap, dear, best)
    sizes = {best * share // 100 for share in range(50, 151, 5)} | {best - 1000, best + 1000, cheap.quote // 100}
    assert all(gain(cheap, dear, size) <= top + 2 for size in sizes if size > 0)


@given(near_pools())
def test_a_spread_within_the_fees_is_no_spread(pair: tuple[Reserves, Reserves]):
    first, second = pair
    ratio = first.quote * second.base / (second.quote * first.base)
    spread = find_spread(first, second, 10**30)
    if 0.9941 < ratio < 1.0059:
        assert spread is None
    elif spread is not None:
        assert spread.profit > 0
        assert spread.cheap == (0 if ratio < 1 else 1)
        assert spread.ratio == pytest.approx(max(ratio, 1 / ratio) - 1, rel=1e-6, abs=1e-9)


@given(near_pools(), st.integers(1, 10**9))
def test_a_size_is_never_above_what_is_allowed(pair: tuple[Reserves, Reserves], allowed: int):
    spread = find_spread(*pair, allowed)
    assert spread is None or spread.size <= allowed


@given(pools(), st.integers(1, 10**12))
def test_a_swap_never_lowers_the_product_of_the_reserves(pool: Reserves, given_quote: int):
    bought = pool.buy(given_quote)
    assert (pool.base - bought) * (pool.quote + given_quote) >= pool.base * pool.quote


@given(pools(), st.integers(1, 10**20))
def test_the_least_input_is_enough_and_no_less_is(pool: Reserves, wanted: int):
    wanted = min(wanted, pool.base - 1)
    least = amount_in(wanted, pool.quote, pool.base)
    assert amount_out(least, pool.quote, pool.base) >= wanted
    assert amount_out(least - 1, pool.quote, pool.base) < wanted


def test_more_than_a_pool_holds_can_not_be_bought():
    with pytest.raises(ValueError, match="expected less than the reserve of 10"):
        amount_in(10, 10, 10)


def test_an_empty_pool_has_no_spread():
    assert find_spread(Reserves(0, 0), Reserves(10**18, 10**9), 10**9) is None
