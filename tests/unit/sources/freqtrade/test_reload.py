"""A reload and a watchlist as commands: what freqtrade has to show before they count as done."""

from __future__ import annotations

import asyncio

import pytest

from deskwatch.events import (
    ConfigReloaded,
    Mode,
    WatchlistChanged,
)
from tests.unit.sources.freqtrade.desk import Desk
from tests.unit.sources.freqtrade.stand_in import StandIn
from tests.waiting import eventually_async


async def test_reload_is_seen_by_freqtrades_own_word(desk: Desk, freqtrade: StandIn):
    """It is told once, with the command as its cause."""
    result = await desk.ask("reload_config")
    assert result == {"state": "running"}
    (told,) = desk.events(ConfigReloaded)
    assert told.cause == "c1"


@pytest.mark.parametrize(("mode", "state"), [(Mode.STANDBY, "paused"), (Mode.HALTED, "stopped")])
async def test_what_comes_up_riskier_from_a_reload_is_lowered_again(desk: Desk, freqtrade: StandIn, mode, state):
    """It begins in its configuration's initial state."""
    await desk.ask("set_mode", mode=str(mode))
    result = await desk.ask("reload_config")
    assert freqtrade.state == state
    assert "lowered" in result["note"]
    assert desk.modes()[-1] == mode


@pytest.mark.parametrize(("had", "asked", "state"), [("active", "halted", "stopped"), ("standby", "active", "running")])
async def test_a_mode_that_is_asked_for_while_it_reloads_stays(desk: Desk, freqtrade: StandIn, had, asked, state):
    """It is said by freqtrade, and forgotten as that begins anew."""
    await desk.ask("set_mode", mode=had)
    reload = asyncio.create_task(desk.ask("reload_config"))
    await eventually_async(lambda: any(each.startswith("POST reload") for each in freqtrade.asked))
    await desk.ask("set_mode", mode=asked)
    await reload
    assert freqtrade.state == state
    assert desk.watched.mode is Mode(asked)


async def test_a_reload_that_does_not_happen_is_not_told(desk: Desk, freqtrade: StandIn):
    """Its yes is no proof."""
    freqtrade.reloads = False
    with pytest.raises(AssertionError, match="did not say that it has"):
        await desk.ask("reload_config", expires=0.1)
    assert desk.events(ConfigReloaded) == []
    assert freqtrade.asked.count("POST reload_config") == 1


async def test_a_reload_that_ends_freqtrade_is_told_as_that(desk: Desk, freqtrade: StandIn):
    """A faulty configuration ends it."""
    freqtrade.reloads = False
    asking = asyncio.create_task(desk.ask("reload_config", expires=0.5))
    await eventually_async(lambda: "POST reload_config" in freqtrade.asked)
    freqtrade.away()
    with pytest.raises(AssertionError, match="does not answer since"):
        await asking


async def test_a_watchlist_is_narrowed_and_widened_again(desk: Desk, freqtrade: StandIn):
    """By the blacklist, and seen in the whitelist."""
    await desk.ask("set_watchlist", symbols=["BTC/USDT"])
    assert sorted(freqtrade.blacklist) == ["ETH/USDT", "SOL/USDT"]
    await desk.ask("set_watchlist", symbols=["BTC/USDT", "SOL/USDT"])
    assert freqtrade.blacklist == ["ETH/USDT"]
    assert [each.symbols for each in desk.events(WatchlistChanged)] == [["BTC/USDT"], ["BTC/USDT", "SOL/USDT"]]


@pytest.mark.parametrize(
    ("symbols", "black", "words"),
    [
        (["DOGE/USDT"], [], "DOGE/USDT is not on its pair list"),
        (["BTC/USDT", "ETH/USDT"], ["ETH/USDT"], "ETH/USDT is on freqtrade's blacklist"),
        ([], [], "expected symbols to watch"),
    ],
)
async def test_what_the_pair_list_does_not_allow_is_refused_in_words(desk: Desk, freqtrade, symbols, black, words):
    """And nothing is changed; a blacklist that others made is not ours to shorten."""
    freqtrade.blacklist = list(black)
    with pytest.raises(AssertionError, match=words):
        await desk.ask("set_watchlist", symbols=symbols)
    assert freqtrade.blacklist == black


async def test_a_pair_with_an_open_trade_stays_watched_and_that_is_said(desk: Desk, freqtrade: StandIn):
    """It watches what it has an open trade of."""
    freqtrade.open_trade("ETH/USDT")
    with pytest.raises(AssertionError, match="ETH/USDT still watched"):
        await desk.ask("set_watchlist", expires=0.1, symbols=["BTC/USDT"])
