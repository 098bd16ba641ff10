"""Balances and equity, as `/balance` of a real freqtrade had them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from deskwatch.events import BalanceObserved, BotStarted, EquityObserved, Mode
from deskwatch.sources.freqtrade import account
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from tests.unit.sources.freqtrade.captured import SPOT_BALANCE

ADDED = 149.98756
"""What waited in an order that adds to a position."""


def changed(asset: str, **fields: Any) -> dict[str, Any]:
    """The balance, with other figures for an asset."""
    entries = [each | fields if each["currency"] == asset else each for each in SPOT_BALANCE["currencies"]]
    return SPOT_BALANCE | {"currencies": entries}


def test_equity_is_the_worth_of_all_that_freqtrade_manages():
    found = account.equity(SPOT_BALANCE, is_shared=False)
    assert found is not None
    assert found.equity == pytest.approx(SPOT_BALANCE["total"])
    assert found.asset == "USDT"


def test_what_a_dry_run_counts_twice_is_taken_off():
    assert account.is_waiting(SPOT_BALANCE)
    assert not account.is_waiting(changed("USDT", used=0.0))
    found = account.equity(SPOT_BALANCE, is_shared=False, more=-ADDED)
    assert found is not None
    assert found.equity == pytest.approx(SPOT_BALANCE["total"] - ADDED)


def test_a_bot_with_a_part_of_an_account_is_worth_its_part():
    found = account.equity(SPOT_BALANCE, is_shared=True)
    assert found is not None
    assert found.equity == SPOT_BALANCE["total_bot"]


def test_coins_that_freqtrade_does_not_manage_are_no_equity():
    found = account.equity(changed("BTC", is_bot_managed=False), is_shared=False)
    assert found is not None
    assert found.equity == pytest.approx(SPOT_BALANCE["total"] - 223.7035795)


def test_what_somebody_holds_of_a_traded_coin_beside_is_no_equity():
    """It would be a peak while the trade is open, and every later figure a drawdown from that."""
    found = account.equity(changed("BTC", balance=1.00373, est_stake=60_000.0), is_shared=False, filling={})
    assert found is not None
    assert found.equity == pytest.approx(SPOT_BALANCE["total"])
    found = account.equity(changed("USDT", est_stake_bot=1.0), is_shared=False, filling={})
    assert found is not None
    assert found.equity == pytest.approx(SPOT_BALANCE["total"])  # of the stake currency all is


@pytest.mark.parametrize(
    ("bought", "filled", "is_told"), [(0.0, 0.00373, True), (0.002, 0.00173, True), (0.0, 0.003, False)]
)
def test_an_order_that_is_filled_in_part_is_equity_where_it_can_be_told(bought, filled, is_told):
    """It is in the balance, and not in the trade's amount."""
    raw = changed("BTC", bot_owned=bought, est_stake_bot=bought * 60_000)
    found = account.equity(raw, is_shared=False, filling={"BTC": filled})
    assert (found is not None) is is_told
    assert found is None or found.equity == pytest.approx(SPOT_BALANCE["total"])


@pytest.mark.parametrize("worth", [0, None, float("nan")])
def test_equity_is_not_told_while_a_coin_has_no_price(worth: float | None) -> None:
    assert account.equity(changed("BTC", est_stake=worth), is_shared=False) is None
    assert account.equity(changed("BTC", est_stake=worth, balance=0.0), is_shared=False) is not None


def test_another_database_keeps_the_part_that_was_lost_from_the_peak_and_tells_it_once():
    memory = FreqtradeMemory()
    memory.fold(BotStarted(boot="1.1", mode=Mode.ACTIVE, host="x", pid=0))
    for equity in (1000.0, 900.0):
        memory.fold(EquityObserved(equity=equity, asset="USDT"))
    live = EquityObserved(equity=90.0, asset="USDT")
    assert account.moved(live, memory, "binance") is None
    memory.fold(BotStarted(boot="2.1", mode=Mode.ACTIVE, host="x", pid=0))
    moved = account.moved(live, memory, "binance")
    assert moved is not None
    assert moved.amount == pytest.approx(-900.0)
    memory.fold(moved)
    assert account.moved(live, memory, "binance") is None  # it was cut off before the equity
    assert memory.equity["USDT"] == pytest.approx([900.0, 100.0])


def test_balances_are_told_when_they_change_and_all_of_them_now_and_then():
    memory = FreqtradeMemory()
    assert len(_tell(SPOT_BALANCE, memory)) == 5
    assert _tell(SPOT_BALANCE, memory) == []
    assert _tell(changed("ETH", free=0.05), memory) == [("ETH", 0.0991, 0.05)]
    assert len(_tell(SPOT_BALANCE, memory, all_of_them=True)) == 5


def test_a_coin_that_is_gone_is_told_as_nothing_once():
    memory = FreqtradeMemory()
    _tell(SPOT_BALANCE, memory)
    without = SPOT_BALANCE | {"currencies": [each for each in SPOT_BALANCE["currencies"] if each["currency"] != "SOL"]}
    assert _tell(without, memory) == [("SOL", 0.0, 0.0)]
    assert _tell(without, memory) == []


def test_nothing_is_left_at_an_exchange_that_it_has_no_more():
    memory = FreqtradeMemory()
    _tell(SPOT_BALANCE, memory)
    told = list(_folded(account.balances(SPOT_BALANCE, memory, "kraken", all_of_them=False), memory))
    assert [(event.venue, bool(event.total)) for event in told] == [("binance", False)] * 5 + [("kraken", True)] * 5
    assert list(account.balances(SPOT_BALANCE, memory, "kraken", all_of_them=False)) == []


def test_a_futures_position_is_no_balance():
    position = SPOT_BALANCE["currencies"][0] | {"currency": "BTC/USDT:USDT", "is_position": True, "balance": 0.0}
    assert _tell({"currencies": [position], "stake": "USDT"}, FreqtradeMemory()) == []


def test_of_hundreds_of_coins_the_worthiest_are_told():
    many = [SPOT_BALANCE["currencies"][0] | {"currency": f"C{number}", "est_stake": number} for number in range(300)]
    told = _tell({"currencies": many}, FreqtradeMemory())
    assert [asset for asset, _, _ in told] == [f"C{number}" for number in range(299, 299 - account.MOST_ASSETS, -1)]


def _tell(raw: dict[str, Any], memory: FreqtradeMemory, *, all_of_them: bool = False) -> list[tuple[Any, ...]]:
    told = _folded(account.balances(raw, memory, "binance", all_of_them=all_of_them), memory)
    return [(event.asset, event.total, event.free) for event in told]


def _folded(events: Iterable[BalanceObserved], memory: FreqtradeMemory) -> Iterator[BalanceObserved]:
    """As `Watched.emit` does: each before the next is asked for."""
    for event in events:
        memory.fold(event)
        yield event
