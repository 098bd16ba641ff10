"""Metrics of order books."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import BookObserved
from deskwatch.projections.metrics.lifetimes import MARKET_SECONDS
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value


def book(bid: float | None = 99.0, ask: float | None = 101.0, **more: Any) -> BookObserved:
    return BookObserved(venue="v", symbol="ETH", bid=bid, ask=ask, **more)


def test_a_book_shows_its_best_prices_what_lies_between_and_at_them() -> None:
    metrics = fold(record_of(book(bid_quantity=3.0, ask_quantity=4.0), ts=START_NS))
    assert value(metrics, "tradebot_book_bid", venue="v", symbol="ETH") == 99
    assert value(metrics, "tradebot_book_ask") == 101
    assert value(metrics, "tradebot_book_spread_ratio") == 0.02
    assert value(metrics, "tradebot_book_depth", side="bid") == 3
    assert value(metrics, "tradebot_book_depth", side="ask") == 4
    assert value(metrics, "tradebot_book_timestamp_seconds") == START_NS / 1e9


def test_a_crossed_book_has_a_spread_below_zero() -> None:
    assert value(fold(book(101.0, 99.0)), "tradebot_book_spread_ratio") == -0.02


def test_a_book_of_the_least_prices_that_there_are_has_a_spread_too() -> None:
    assert value(fold(book(5e-324, 5e-324)), "tradebot_book_spread_ratio") == 0


@pytest.mark.parametrize(("bid", "ask"), [(None, 101.0), (99.0, None), (0.0, 101.0), (99.0, -1.0)])
def test_a_book_of_one_side_has_no_spread(bid: float | None, ask: float | None) -> None:
    metrics = fold(book(bid, ask))
    assert samples(metrics, "tradebot_book_spread_ratio") == []
    assert len(samples(metrics, "tradebot_book_bid")) + len(samples(metrics, "tradebot_book_ask")) == 1


def test_an_empty_book_is_not_seen() -> None:
    assert samples(fold(book(None, None)), "tradebot_book_timestamp_seconds") == []


def test_the_highest_prices_there_are_have_a_spread() -> None:
    assert value(fold(book(1.7e308, 1.7e308)), "tradebot_book_spread_ratio") == 0


def test_a_book_that_is_no_longer_fed_goes() -> None:
    metrics = fold(record_of(book(bid_quantity=1.0), ts=START_NS))
    for name in ("tradebot_book_bid", "tradebot_book_ask", "tradebot_book_spread_ratio", "tradebot_book_depth"):
        for after, shown in ((MARKET_SECONDS - 1, 1), (MARKET_SECONDS, 0)):
            assert len(samples(metrics, name, START_NS / 1e9 + after)) == shown
