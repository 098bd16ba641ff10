"""Commands for freqtrade: what is asked of it, and what has to be seen before a command counts as done."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from deskwatch.command import Command
from deskwatch.errors import NotJournaled
from deskwatch.events import (
    CommandFailed,
    CommandOffered,
    CommandStarted,
    CommandSucceeded,
    Mode,
)
from deskwatch.sources.freqtrade import pursuit
from tests.unit.sources.freqtrade.desk import Desk, open_desk, serving
from tests.unit.sources.freqtrade.stand_in import StandIn
from tests.waiting import eventually_async

ODD_STATES: tuple[object, ...] = ("reload_config", "", None, 7, ["running"], {})


@pytest.mark.parametrize(
    ("mode", "state"), [("active", "running"), ("standby", "paused"), ("halted", "stopped")], ids=str
)
@pytest.mark.parametrize("before", ["running", "paused", "stopped"])
async def test_a_mode_is_in_force_when_freqtrade_says_so(desk: Desk, freqtrade: StandIn, before, mode, state):
    """Each mode from each state, also from the one it has, is asked for, seen and told with its cause."""
    freqtrade.state = before
    result = await desk.ask("set_mode", mode=mode)
    assert freqtrade.state == state
    assert result == {"mode": mode, "state": state, "open_trades": 0}
    assert desk.modes()[-1] == mode
    assert desk.looks >= 1


@pytest.mark.parametrize("mode", ["active", "standby", "closing"])
async def test_a_freqtrade_that_was_stopped_unseen_is_started_only_by_who_may(desk: Desk, freqtrade: StandIn, mode):
    """By Telegram, say, after it was looked at last: a pause would start it."""
    freqtrade.state = "stopped"
    command = Command(
        msgspec.structs.replace(desk.accepted("set_mode", 20, {"mode": mode}), leaves_halted=False),
        lambda event, durable: desk.watched.emit(event),
    )
    await desk.control.carry_out(command)
    (failed,) = desk.events(CommandFailed)
    assert failed.error == "the bot is halted; ask again with a token that may trade"
    assert freqtrade.state == "stopped"
    assert desk.modes() == ["halted"]


async def test_a_mode_that_freqtrade_does_not_show_is_not_told(desk: Desk, freqtrade: StandIn):
    """An older version says yes to a pause and goes on: the command fails with its words."""
    freqtrade.refuses["pause"] = (200, '{"status": "No more entries will occur."}', {})
    with pytest.raises(AssertionError, match=r"to be paused, but it says that it is running \(No more entries"):
        await desk.ask("set_mode", expires=0.1, mode="standby")
    assert "standby" not in desk.modes()


async def test_a_freqtrade_that_knows_no_pause_is_said_to_be_too_old(desk: Desk, freqtrade: StandIn):
    """And at once, not when the command's time is over."""
    freqtrade.refuses["pause"] = (404, '{"detail": "Not Found"}', {})
    with pytest.raises(AssertionError, match="may be too old"):
        await desk.ask("set_mode", expires=60, mode="standby")


async def test_halting_with_open_trades_says_that_nobody_minds_them(desk: Desk, freqtrade: StandIn):
    """A stopped freqtrade leaves what is open alone, and that has to be said."""
    freqtrade.open_trade("BTC/USDT")
    freqtrade.open_trade("ETH/USDT")
    result = await desk.ask("set_mode", mode="halted")
    assert result["open_trades"] == 2
    assert "BTC/USDT (trade 1), ETH/USDT (trade 2)" in result["note"]


async def test_a_halt_gets_through_to_a_peer_that_is_back_in_time(desk: Desk, freqtrade: StandIn):
    """A command is tried until its time is over."""
    freqtrade.away()
    halting = asyncio.create_task(desk.ask("set_mode", mode="halted"))
    await asyncio.sleep(0.3)
    freqtrade.back()
    assert (await halting)["state"] == "stopped"


async def test_the_last_mode_asked_for_wins(desk: Desk, freqtrade: StandIn):
    """One that can't come into force holds up no halt."""
    freqtrade.refuses["start"] = (200, '{"status": "starting"}', {})
    freqtrade.state = "paused"
    starting = asyncio.create_task(desk.ask("set_mode", mode="active"))
    await eventually_async(lambda: "POST start" in freqtrade.asked)
    assert (await desk.ask("set_mode", mode="halted"))["state"] == "stopped"
    with pytest.raises(AssertionError, match="another mode was asked for meanwhile"):
        await starting
    assert desk.modes()[-1] == "halted"


async def test_closing_pauses_forces_out_and_ends_in_standby_when_flat(desk: Desk, freqtrade: StandIn):
    """As the mode is meant: it reduces to flat, then goes to standby."""
    freqtrade.fills = False
    for pair in ("BTC/USDT", "ETH/USDT"):
        freqtrade.open_trade(pair)
    async with serving(desk):
        result = await desk.ask("set_mode", mode="closing")
        assert result["mode"] == "closing"
        assert freqtrade.state == "paused"
        await eventually_async(lambda: all(each["has_open_orders"] for each in freqtrade.trades.values()))
        await desk.look()
        assert desk.modes()[-1] == "closing"
        for number in freqtrade.trades:
            freqtrade.fill(number)
        await eventually_async(lambda: desk.modes()[-1] == "standby")
    assert [mode for mode in desk.modes() if mode != "active"] == ["closing", "standby"]


async def test_closing_goes_on_after_an_exit_order_was_given_up(desk: Desk, freqtrade: StandIn):
    """Freqtrade cancels orders that don't fill in time."""
    freqtrade.fills = False
    number = freqtrade.open_trade()
    async with serving(desk):
        await desk.ask("set_mode", mode="closing")
        await eventually_async(lambda: freqtrade.trades[number]["has_open_orders"])
        freqtrade.fills = True
        freqtrade._cancel(number)
        await eventually_async(lambda: desk.modes()[-1] == "standby")
    assert not freqtrade.trades[number]["is_open"]


async def test_closing_ends_where_somebody_starts_freqtrade(desk: Desk, freqtrade: StandIn):
    """By Telegram, say: nothing is forced out any more."""
    freqtrade.fills = False
    freqtrade.open_trade()
    async with serving(desk):
        await desk.ask("set_mode", mode="closing")
        freqtrade.state = "running"
        await eventually_async(lambda: not desk.control._modes.closing.is_set())
        await desk.look()
    assert desk.modes()[-1] == "active"


async def test_a_sidecar_that_is_restarted_goes_on_closing(tmp_path, settings, freqtrade, hurried):
    """The mode is in the journal, so the reducing goes on."""
    freqtrade.fills = False
    freqtrade.open_trade()
    async with open_desk(tmp_path / "home", settings) as desk:
        await desk.ask("set_mode", mode="closing")
    freqtrade.fills = True
    async with open_desk(tmp_path / "home", settings) as desk, serving(desk):
        await eventually_async(lambda: desk.modes()[-1] == "standby")
    assert not freqtrade.trades[1]["is_open"]


async def test_ping_tells_how_long_freqtrade_takes_and_what_it_does(desk: Desk, freqtrade: StandIn):
    """The answer is freqtrade's own."""
    result = await desk.ask("ping")
    assert 0 < result["latency_seconds"] < 5
    assert result["state"] == "running"


async def test_a_command_that_freqtrade_does_not_know_fails(desk: Desk):
    """In words."""
    with pytest.raises(AssertionError, match="freqtrade knows no command like dance"):
        await desk.ask("dance")


async def test_commands_come_through_the_journal_and_those_of_freqtrade_are_offered(desk: Desk, freqtrade: StandIn):
    """As from the sidecar: `lock_pair` is offered, its parameters are checked, and it is seen through."""
    await desk.look()
    async with serving(desk):
        desk.write("lock_pair", symbol="BTC/USDT", seconds=0)
        desk.write("lock_pair", symbol="BTC/USDT", seconds=60)
        await eventually_async(lambda: len(desk.events(CommandFailed, CommandSucceeded)) == 2)
        assert [each["pair"] for each in freqtrade.locks] == ["BTC/USDT"]
        desk.write("unlock_pair", symbol="BTC/USDT")
        await eventually_async(lambda: len(desk.events(CommandSucceeded)) == 2)
        assert freqtrade.locks == []
    assert {each.command for each in desk.events(CommandOffered)} == {"lock_pair", "unlock_pair"}
    assert len(desk.events(CommandFailed)) == 1


async def test_no_command_is_begun_while_freqtrade_is_away(desk: Desk, freqtrade: StandIn):
    """It waits for its time, and is carried out when freqtrade is back."""
    await desk.look()
    async with serving(desk):
        freqtrade.away()
        with pytest.raises(Exception, match=r"nothing listens|ended"):
            await desk.look()
        await eventually_async(lambda: not any(one.get_name() == "next command" for one in asyncio.all_tasks()))
        desk.write("set_mode", mode="halted")
        await asyncio.sleep(0.3)  # long enough for the journal's follower, which would have begun it
        assert desk.events(CommandStarted) == []
        freqtrade.back()
        await desk.look()
        await eventually_async(lambda: desk.events(CommandSucceeded))
    assert freqtrade.state == "stopped"


async def test_a_close_that_waits_holds_up_no_halt(desk: Desk, freqtrade: StandIn):
    """Each command has a task of its own."""
    freqtrade.fills = False
    freqtrade.open_trade()
    await desk.look()
    async with serving(desk):
        desk.write("close_all", expires=60)
        await eventually_async(lambda: freqtrade.trades[1]["has_open_orders"])
        halt = desk.write("set_mode", mode="halted")
        await eventually_async(lambda: [one for one in desk.events(CommandSucceeded) if one.command_id == halt])
    assert freqtrade.state == "stopped"


async def test_what_was_begun_when_deskwatch_ends_is_ended_in_words(desk: Desk, freqtrade: StandIn):
    """No command is left without an end."""
    freqtrade.fills = False
    freqtrade.open_trade()
    await desk.look()
    async with serving(desk):
        desk.write("close_all", expires=60)
        await eventually_async(lambda: freqtrade.trades[1]["has_open_orders"])
    (failed,) = desk.events(CommandFailed)
    assert "deskwatch ended" in failed.error


async def test_many_that_wait_share_what_is_read(desk: Desk, freqtrade: StandIn, monkeypatch: pytest.MonkeyPatch):
    """Not each of them asks freqtrade, and the longer they wait the less is asked."""
    monkeypatch.setattr(pursuit, "MOST_SECONDS", 0.05)
    freqtrade.fills = False
    freqtrade.open_trade()
    await asyncio.gather(
        *(desk.ask("close_position", expires=0.1, position_id="1") for _ in range(10)), return_exceptions=True
    )
    assert freqtrade.asked.count("GET status") < 30


async def test_where_nothing_can_be_told_the_source_begins_again(desk: Desk, freqtrade: StandIn, monkeypatch):
    """A full disk: the fault goes out of the control, as a source's contract wants it."""

    def full(*_: object, **__: object) -> bool:
        raise NotJournaled("the disk is full")

    monkeypatch.setattr(desk.watched, "emit", full)
    command = Command(desk.accepted("set_mode", 20, {"mode": "halted"}), lambda event, durable: True)
    with pytest.raises(NotJournaled):
        await desk.control.carry_out(command)
    assert freqtrade.state == "stopped"


async def test_a_state_that_is_older_than_the_last_change_tells_no_mode(desk: Desk, freqtrade: StandIn):
    """An answer that was on its way when the mode was changed is no news."""
    asked_at = time.monotonic()
    await desk.ask("set_mode", mode="standby")
    assert desk.control.mode_of("running", asked_at) is None
    assert desk.control.mode_of("running") is Mode.ACTIVE
    assert desk.control.mode_of("paused") is Mode.STANDBY
    assert {desk.control.mode_of(odd) for odd in ODD_STATES} == {None}


async def test_a_freqtrade_that_came_up_riskier_can_be_held(desk: Desk, freqtrade: StandIn):
    """For a restart that nobody commanded."""
    assert await desk.control.hold(Mode.HALTED, "it was halted before its restart")
    assert freqtrade.state == "stopped"
    assert desk.modes() == ["halted"]


async def test_holding_never_raises_the_risk(desk: Desk, freqtrade: StandIn):
    """A pause would start a freqtrade that is stopped."""
    freqtrade.state = "stopped"
    assert await desk.control.hold(Mode.STANDBY, "it was paused before its restart")
    assert freqtrade.state == "stopped"
    assert desk.modes() == []
