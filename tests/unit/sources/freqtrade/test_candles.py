"""Candles that come no more are told as a connection that is down, and nothing is said where nobody can know."""

from __future__ import annotations

from typing import cast

import pytest

from deskwatch.sources.freqtrade.candles import Candles
from deskwatch.sources.watched import Watched
from tests.unit.sources.freqtrade.telling import Telling
from tests.unit.sources.freqtrade.test_schedule import Clock

CANDLE = {"type": "new_candle", "data": ["BTC/USDT", "5m", "spot"]}


@pytest.fixture
def telling() -> Telling:
    return Telling()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def candles(telling: Telling, clock: Clock) -> Candles:
    made = Candles(cast("Watched", telling), clock)
    made.configure({"timeframe": "5m", "timeframe_ms": 300_000})
    return made


def up(telling: Telling) -> bool | None:
    return telling.told.connections.get("binance candles")


def test_candles_are_up_while_they_come_and_down_when_two_are_missed(
    candles: Candles, telling: Telling, clock: Clock
) -> None:
    candles.came(CANDLE, "binance")
    for seconds, expected in ((600, True), (29, True), (2, False)):
        clock.now += seconds
        candles.judge("binance", is_expected=True)
        assert up(telling) is expected
    candles.came(CANDLE, "binance")
    assert up(telling) is True


def test_an_exchange_that_it_has_no_more_is_missed_by_nobody(candles: Candles, telling: Telling, clock: Clock) -> None:
    """It may be down because of what made somebody change it."""
    candles.came(CANDLE, "binance")
    clock.now += 1000
    candles.judge("binance", is_expected=True)
    candles.configure({"timeframe": "5m", "timeframe_ms": 300_000, "exchange": "kraken"})
    candles.came(CANDLE, "kraken")
    assert telling.told.connections == {"kraken candles": True}


def test_a_stopped_trader_and_a_cut_stream_miss_no_candles(candles: Candles, telling: Telling, clock: Clock) -> None:
    candles.came(CANDLE, "binance")
    clock.now += 3000
    candles.judge("binance", is_expected=False)
    clock.now += 600
    candles.judge("binance", is_expected=True)
    assert up(telling) is True


def test_a_freqtrade_that_never_tells_of_candles_is_not_judged(
    candles: Candles, telling: Telling, clock: Clock
) -> None:
    clock.now += 9000
    candles.judge("binance", is_expected=True)
    assert up(telling) is None


def test_one_that_told_of_them_before_this_watch_is_judged_from_its_begin(
    candles: Candles, telling: Telling, clock: Clock
) -> None:
    telling.connected("candles", "binance", up=True)
    candles.judge("binance", is_expected=True)
    clock.now += 631
    candles.judge("binance", is_expected=True)
    assert up(telling) is False


@pytest.mark.parametrize("data", [None, [], ["BTC/USDT"], ["BTC/USDT", "1h", "spot"], "5m", [1, 2, 3]])
def test_other_candles_don_t_count(candles: Candles, telling: Telling, data: object) -> None:
    candles.came({"data": data}, "binance")
    assert up(telling) is None
