"""`lock_pair`: what freqtrade has to show of a lock."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from tests.unit.sources.freqtrade.desk import Desk
from tests.unit.sources.freqtrade.stand_in import StandIn


async def test_a_lock_that_ends_sooner_is_not_the_lock_that_was_asked_for(desk: Desk, freqtrade: StandIn):
    await desk.ask("lock_pair", symbol="BTC/USDT", seconds=60)
    result = await desk.ask("lock_pair", symbol="BTC/USDT", seconds=86400)
    ends = datetime.fromisoformat(result["until"]).timestamp()
    assert ends * 1000 == max(each["lock_end_timestamp"] for each in freqtrade.locks)
    assert ends >= time.time() + 86390


@pytest.mark.parametrize(("symbol", "is_noted"), [("BTCUSDT", True), ("BTC/USDT", False), ("*", False)])
async def test_a_lock_of_what_is_not_watched_is_doubted(desk: Desk, symbol, is_noted):
    result = await desk.ask("lock_pair", symbol=symbol, seconds=60)
    assert ("note" in result) is is_noted
