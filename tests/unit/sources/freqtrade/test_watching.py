"""The whole source at work against the stand-in: modes, restarts, reloads, what it says when it can't see."""

from __future__ import annotations

import asyncio
import base64
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from deskwatch import events as ev
from deskwatch.events import Mode
from deskwatch.sources.freqtrade import exits
from deskwatch.sources.freqtrade import watching as watching_module
from deskwatch.sources.freqtrade.peer import LOWERED
from tests.sources.watching import Watching, give
from tests.unit.sources.freqtrade.rig import FreqtradeRig
from tests.unit.sources.freqtrade.stand_in import StandIn
from tests.waiting import eventually_async


@pytest.fixture
async def rig() -> AsyncIterator[FreqtradeRig]:
    async with FreqtradeRig() as one:
        one.freqtrade.log("freqtrade.worker", "INFO", "Starting worker 2026.9")
        yield one


@pytest.fixture
def watching(rig: FreqtradeRig, tmp_path: Path) -> Watching:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Watching(rig, home)


def modes(watching: Watching) -> list[tuple[Mode, str | None]]:
    """What was told of modes: each, and by whom."""
    return [(event.mode, event.actor) for event in watching.of(ev.ModeChanged)]


async def told(condition: Callable[[], Any]) -> None:
    await eventually_async(condition)


async def ready(watching: Watching) -> None:
    """It was met, and all was looked at once."""
    await told(lambda: watching.of(ev.EquityObserved) and watching.of(ev.WatchlistChanged))


def post(freqtrade: StandIn, path: str) -> None:
    """What somebody else asks of it."""
    basic = base64.b64encode(f"{freqtrade.user}:{freqtrade.password}".encode()).decode()
    asked = urllib.request.Request(f"{freqtrade.url}/api/v1/{path}", b"", {"authorization": f"Basic {basic}"})
    with urllib.request.urlopen(asked, timeout=10):
        pass


async def test_a_mode_that_somebody_else_changed_is_told_as_freqtrades_own(
    rig: FreqtradeRig, watching: Watching
) -> None:
    async with watching.running():
        await ready(watching)
        rig.freqtrade.state = "paused"
        rig.freqtrade.say("status", status="paused")
        await told(lambda: len(modes(watching)) == 2)
    assert modes(watching) == [(Mode.ACTIVE, "freqtrade"), (Mode.STANDBY, "freqtrade")]
    started = watching.of(ev.BotStarted)[0]
    assert (started.mode, started.version, started.strategy) == (Mode.ACTIVE, "2026.9", "Busy")


async def test_a_restart_that_comes_up_riskier_than_was_asked_for_is_lowered(
    rig: FreqtradeRig, watching: Watching
) -> None:
    async with watching.running():
        await ready(watching)
        give(watching.home, "set_mode", {"mode": "standby"})
        await told(lambda: watching.of(ev.CommandSucceeded))  # and nothing of it is read any more
        assert modes(watching)[-1][0] is Mode.STANDBY
        rig.freqtrade.restart()
        await told(lambda: any(event.reason == LOWERED for event in watching.of(ev.ModeChanged)))
        assert rig.freqtrade.state == "paused"
    assert [event.mode for event in watching.of(ev.BotStarted)] == [Mode.ACTIVE, Mode.ACTIVE]
    assert [mode for mode, _ in modes(watching)] == [Mode.ACTIVE, Mode.STANDBY, Mode.ACTIVE, Mode.STANDBY]
    assert "came up active, but standby was asked for last" in watching.of(ev.LogRecorded)[-1].message


async def test_a_restart_after_which_nobody_asked_for_less_is_left_as_it_is(
    rig: FreqtradeRig, watching: Watching
) -> None:
    async with watching.running():
        await ready(watching)
        rig.freqtrade.restart()
        await told(lambda: len(watching.of(ev.BotStarted)) == 2)
        await told(lambda: watching.of(ev.ConnectionChanged)[-1].up)
    assert [mode for mode, _ in modes(watching)] == [Mode.ACTIVE, Mode.ACTIVE]
    assert rig.changes == 0


async def test_a_reload_by_somebody_else_is_no_start_and_names_what_changed(
    rig: FreqtradeRig, watching: Watching
) -> None:
    async with watching.running():
        await ready(watching)
        rig.freqtrade.config["max_open_trades"] = 9
        rig.freqtrade.startup_ts += 30
        rig.freqtrade.cut(1012)
        await told(lambda: watching.of(ev.ConfigReloaded))
    assert [event.changed for event in watching.of(ev.ConfigReloaded)] == [["max_open_trades"]]
    assert len(watching.of(ev.BotStarted)) == 1


async def test_a_stopped_trader_that_starts_has_not_reloaded(rig: FreqtradeRig, watching: Watching) -> None:
    async with watching.running():
        await ready(watching)
        rig.freqtrade.state = "stopped"
        rig.freqtrade.say("status", status="stopped")
        await told(lambda: modes(watching)[-1][0] is Mode.HALTED)
        rig.freqtrade.state = "running"
        rig.freqtrade.startup_ts += 1
        rig.freqtrade.say("status", status="running")
        await told(lambda: modes(watching)[-1][0] is Mode.ACTIVE)
    assert watching.of(ev.ConfigReloaded) == []
    assert len(watching.of(ev.BotStarted)) == 1


async def test_a_halted_one_that_somebody_else_reloads_is_halted_again(rig: FreqtradeRig, watching: Watching) -> None:
    """It begins in its initial state, whatever it was told before."""
    async with watching.running():
        await ready(watching)
        give(watching.home, "set_mode", {"mode": "halted"})
        await told(lambda: watching.of(ev.CommandSucceeded))
        await asyncio.to_thread(post, rig.freqtrade, "reload_config")
        await told(lambda: watching.of(ev.LogRecorded))
        assert rig.freqtrade.state == "stopped"
        assert modes(watching)[-1][0] is Mode.HALTED
        give(watching.home, "set_mode", {"mode": "active"}, leaves_halted=True)  # the log still holds the reload
        await told(lambda: len(watching.of(ev.CommandSucceeded)) == 2)
    assert "came up active, but halted was asked for last" in watching.of(ev.LogRecorded)[-1].message
    assert modes(watching)[-1][0] is Mode.ACTIVE
    assert len(watching.of(ev.ConfigReloaded)) == 1


async def test_what_is_flat_shows_no_position_any_more(
    rig: FreqtradeRig, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sees that `closing` is over sees what each made."""
    monkeypatch.setattr(exits, "REDUCE_SECONDS", 0.05)
    for _ in range(3):
        await rig.happen()
    async with watching.running():
        await ready(watching)
        give(watching.home, "set_mode", {"mode": "closing"})
        await told(lambda: modes(watching)[-1][0] is Mode.STANDBY)
        assert len(watching.of(ev.PositionClosed)) == 3


def balance(equity: float) -> dict[str, Any]:
    """So much of the stake currency."""
    stake = {"currency": "USDT", "balance": equity, "free": equity, "used": 0.0, "est_stake": equity}
    return {"stake": "USDT", "currencies": [stake]}


async def test_a_new_database_is_told_and_its_trades_are_others(rig: FreqtradeRig, watching: Watching) -> None:
    """It may be a dry run that went live: what it has then is no drawdown."""
    rig.freqtrade.balance = balance(1000.0)
    await rig.happen()
    async with watching.running():
        await ready(watching)
    rig.freqtrade.trades.clear()
    rig.freqtrade.balance = balance(250.0)
    rig.freqtrade.started_ts += 1000
    rig.freqtrade.restart()
    await rig.happen()
    async with watching.running():
        await told(
            lambda: len(watching.of(ev.PositionOpened)) == 2 and watching.of(ev.EquityObserved)[-1].equity == 250
        )
    assert [event.amount for event in watching.of(ev.TransferRecorded)] == [-750.0]
    assert [(event.position_id, event.reason) for event in watching.of(ev.PositionClosed)] == [("1", "deleted")]
    assert "another database" in watching.of(ev.LogRecorded)[0].message


@pytest.mark.parametrize(
    ("config", "equity"),
    [
        ({"dry_run": False}, 950.0),
        ({"dry_run": True}, 900.0),
        ({"dry_run": False, "available_capital": 500.0}, 500.0),
        ({"dry_run": True, "available_capital": 500.0}, 450.0),
        ({"dry_run": True, "available_capital": 500.0, "trading_mode": "spot"}, 500.0),
    ],
)
async def test_an_entry_that_waits_is_no_drawdown(
    rig: FreqtradeRig, watching: Watching, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], equity: float
) -> None:
    """Of a live one of futures freqtrade counts what is free, and a dry run of those has it as a position."""
    monkeypatch.setattr(watching_module, "SETTLE_SECONDS", 0.0)
    freqtrade = rig.freqtrade
    freqtrade.config.update({"trading_mode": "futures"} | config)
    stake = {"currency": "USDT", "balance": 950.0, "free": 900.0, "used": 50.0, "est_stake": 900.0}
    freqtrade.balance = {"stake": "USDT", "currencies": [stake], "total_bot": 450.0}
    number = freqtrade.open_trade("BTC/USDT:USDT", 0.0, trading_mode="futures", leverage=2.0)
    freqtrade.trades[number]["orders"].clear()
    freqtrade.order(number, "buy", 1.0)
    async with watching.running():
        await ready(watching)
    assert {event.equity for event in watching.of(ev.EquityObserved)} == {equity}


async def test_what_freqtrade_does_not_answer_well_is_said_once_and_the_rest_goes_on(
    rig: FreqtradeRig, watching: Watching
) -> None:
    rig.freqtrade.refuses["balance"] = (502, '{"error": "Error querying /api/v1/balance: no exchange"}', {})
    rig.freqtrade.refuses["locks"] = (200, '{"locks": 5}', {})
    async with watching.running() as health:
        await told(lambda: watching.of(ev.WatchlistChanged) and len(watching.of(ev.LogRecorded)) == 2)
        fact = await rig.happen()
        await told(lambda: fact in watching.told())
        rig.freqtrade.say("exit_fill", trade_id=1)
        assert health.is_up
    said = sorted(event.message for event in watching.of(ev.LogRecorded))
    assert "no exchange" in said[0]
    assert "expected locks as a list" in said[1]


async def test_a_heartbeat_says_how_long_freqtrade_did_nothing(rig: FreqtradeRig, watching: Watching) -> None:
    async with watching.running():
        await told(lambda: watching.of(ev.HeartbeatSent))
    beat = watching.of(ev.HeartbeatSent)[0]
    assert beat.mode is Mode.ACTIVE
    assert 0.0 <= beat.idle_seconds < 60.0
    began = rig.freqtrade.logs[0][1] / 1000
    assert 0.0 <= beat.uptime_seconds <= time.time() - began
