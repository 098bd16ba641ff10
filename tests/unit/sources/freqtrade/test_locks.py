"""Locks become alerts, but for those that come with each exit."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import RiskAlertCleared, RiskAlertRaised
from deskwatch.sources.freqtrade import locks
from deskwatch.sources.freqtrade.memory import FreqtradeMemory

NOW = 1_795_288_000.0


def lock(pair: str, reason: str = "4 stoplosses in 60 min, locking for 10 minutes.", **fields: Any) -> dict[str, Any]:
    """As `/locks` has one."""
    return {
        "id": 18, "active": True, "lock_end_timestamp": 1796083260000, "lock_timestamp": 1795287994535, "pair": pair,
        "side": "*", "reason": reason,
    } | fields  # fmt: skip


def tell(memory: FreqtradeMemory, *held: dict[str, Any]) -> list[RiskAlertRaised | RiskAlertCleared]:
    told = []
    for event in locks.alerts({"locks": list(held)}, memory, NOW):
        memory.fold(event)
        told.append(event)
    return told


def test_a_lock_is_an_alert_until_it_is_gone():
    memory = FreqtradeMemory()
    (raised,) = tell(memory, lock("BTC/USDT"))
    assert isinstance(raised, RiskAlertRaised)
    assert (raised.alert, raised.symbol, raised.severity) == ("pair_locked", "BTC/USDT", "info")
    assert raised.happened_timestamp_seconds == 1795287994.535
    assert tell(memory, lock("BTC/USDT"), lock("BTC/USDT")) == []
    assert tell(memory) == [RiskAlertCleared(alert="pair_locked", symbol="BTC/USDT")]
    assert tell(memory) == []


def test_a_lock_of_all_pairs_is_graver_and_has_no_symbol():
    (raised,) = tell(FreqtradeMemory(), lock("*", "0.3 passed 0.2 in 4 candles", side="long"))
    assert isinstance(raised, RiskAlertRaised)
    assert (raised.alert, raised.symbol, raised.severity) == ("trading_locked", None, "warning")
    assert raised.message == "longs only: 0.3 passed 0.2 in 4 candles"


@pytest.mark.parametrize("reason", ["Auto lock", "Cooldown period for 2 candles."])
def test_what_each_exit_locks_is_no_alert(reason: str) -> None:
    assert tell(FreqtradeMemory(), lock("BTC/USDT", reason)) == []
    assert len(tell(FreqtradeMemory(), lock("BTC/USDT", reason), lock("BTC/USDT"))) == 1


def test_a_lock_that_was_ended_counts_no_more():
    memory = FreqtradeMemory()
    tell(memory, lock("BTC/USDT"))
    assert len(tell(memory, lock("BTC/USDT", active=False))) == 1
