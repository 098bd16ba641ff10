"""What an operator asks of the bot: modes and commands."""

from __future__ import annotations

import time
from typing import Any

import pytest

from arbitrage_bot.trader import ChainReplaced
from deskwatch import Command, CommandAccepted, Event, Mode
from tests.unit.examples.world import World


def command(world: World, kind: str, **params: Any) -> Command:
    """A command as the recorder delivers it."""
    accepted = CommandAccepted(
        command_id=f"c-{time.monotonic_ns()}", command=kind, params=params, actor="test", expires_ts=2**62
    )

    def emit(event: Event, durable: bool) -> bool:
        world.recorder.emit(event, durable=durable)
        return True

    return Command(accepted, emit)


def outcome(world: World, asked: Command) -> dict[str, Any]:
    """The event that finished a command; empty while it is not finished."""
    found = [e for e in world.events("command_succeeded", "command_failed") if e["command_id"] == asked.id]
    assert len(found) <= 1
    return found[0] if found else {}


def with_position(world: World) -> str:
    """Blocks until the bot holds a position and nothing is on its way."""
    world.run_until(lambda: world.open_position is not None)
    position = world.open_position
    assert position is not None
    return position


@pytest.mark.parametrize("mode", [Mode.STANDBY, Mode.HALTED])
def test_in_standby_or_halted_the_bot_watches_and_opens_nothing(world: World, mode: Mode):
    world.recorder.set_mode(mode)
    for _ in range(25):
        world.block()
    assert world.events("order_submitted", "transaction_sent") == []
    assert len(world.events("pool_observed")) >= 48
    if mode is Mode.STANDBY:
        assert {e["reason"] for e in world.events("opportunity_missed")} <= {"standby"}
        assert world.events("opportunity_found")
        assert world.events("prediction_resolved")


def test_closing_sells_what_is_held_then_goes_to_standby_and_says_flat(world: World):
    with_position(world)
    orders = len(world.events("order_submitted"))
    world.recorder.set_mode(Mode.CLOSING)
    world.run_until(lambda: world.recorder.mode is Mode.STANDBY)
    assert world.open_position is None
    assert world.events("mode_changed")[-1]["reason"] == "flat"
    assert {e["side"] for e in world.events("order_submitted")[orders:]} <= {"sell"}


def test_standby_may_close_what_is_held(world: World):
    held = with_position(world)
    world.recorder.set_mode(Mode.STANDBY)
    world.run_until(lambda: world.open_position is None, limit=20)
    assert world.events("position_closed")[-1]["position_id"] == held


def test_halted_keeps_the_position_and_sends_nothing_until_it_is_re_armed(world: World):
    held = with_position(world)
    sent = len(world.events("transaction_sent"))
    on_its_way = 1 if world.trader.wallet.pending else 0
    world.recorder.set_mode(Mode.HALTED)
    for _ in range(8):
        world.block()
    assert len(world.events("transaction_sent")) == sent
    if not on_its_way:
        assert world.open_position == held


@pytest.mark.parametrize("by", ["close_all", "position_id", "symbol"])
def test_a_command_to_close_sells_at_once_and_tells_what_it_made(world: World, by: str):
    held = with_position(world)
    if by == "close_all":
        asked = command(world, "close_all")
    else:
        asked = command(world, "close_position", **{by: held if by == "position_id" else "WETH/USDC"})
    world.bot.obey(asked)
    world.recorder.set_mode(Mode.STANDBY)
    world.run_until(lambda: bool(outcome(world, asked)), limit=20)
    told = outcome(world, asked)
    closed = world.events("position_closed")[-1]
    assert told["type"] == "command_succeeded"
    assert told["result"] == {"closed": [held], "realized_pnl": closed["realized_pnl"]}


def test_closing_when_nothing_is_open_succeeds_at_once(world: World):
    world.block()
    asked = command(world, "close_all")
    world.bot.obey(asked)
    assert outcome(world, asked)["result"] == {"closed": []}


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        (
            "dance",
            {},
            "expected close_all, close_position, cancel_orders, set_watchlist, reload_config or describe, was 'dance'",
        ),
        (
            "close_position",
            {"symbol": "WETH/USDC", "ratio": 0.5},
            "expected neither quantity nor ratio: this bot sells a position whole",
        ),
        (
            "set_watchlist",
            {"symbols": ["WBTC/USDC"]},
            "expected ['WETH/USDC'], the one pair that this bot trades, was ['WBTC/USDC']",
        ),
        ("reload_config", {}, "the bot was started without a rules file"),
        ("close_position", {}, "expected the parameter position_id or symbol"),
        ("close_position", {"position_id": "none"}, "expected the open position, was 'none'; open: None"),
    ],
)
def test_what_can_not_be_done_fails_with_the_way_out(world: World, kind: str, params: dict[str, Any], words: str):
    world.block()
    asked = command(world, kind, **params)
    world.bot.obey(asked)
    assert outcome(world, asked)["error"] == words


def test_a_halted_bot_refuses_to_close(world: World):
    with_position(world)
    world.recorder.set_mode(Mode.HALTED)
    asked = command(world, "close_all")
    world.bot.obey(asked)
    assert "halted" in outcome(world, asked)["error"]


def test_a_command_before_the_chain_was_ever_reached_fails(world: World):
    asked = command(world, "close_all")
    world.bot.obey(asked)
    assert outcome(world, asked)["error"] == "the chain can't be reached"


def test_halting_while_a_close_waits_fails_the_command(world: World):
    with_position(world)
    asked = command(world, "close_all")
    world.bot.obey(asked)
    world.recorder.set_mode(Mode.HALTED)
    world.block()
    told = outcome(world, asked)
    assert told["type"] == "command_succeeded" or "halted" in told["error"]


def test_nothing_is_canceled_where_nothing_is_on_its_way_and_what_is_can_not_be(world: World):
    world.block()
    asked = command(world, "cancel_orders")
    world.bot.obey(asked)
    assert outcome(world, asked)["result"] == {"canceled": []}
    world.run_until(lambda: world.trader.is_sending)
    asked = command(world, "cancel_orders")
    world.bot.obey(asked)
    assert "can't be taken back" in outcome(world, asked)["error"]


def test_the_pair_that_it_trades_may_be_asked_for(world: World):
    asked = command(world, "set_watchlist", symbols=["WETH/USDC"])
    world.bot.obey(asked)
    assert outcome(world, asked)["type"] == "command_succeeded"
    assert world.events("watchlist_changed")[-1]["symbols"] == ["WETH/USDC"]


def test_rules_are_read_again_and_traded_by(world: World):
    path = world.home / "arb-1.rules.json"
    world.bot._rules_path = path
    world.block()
    for text, words in (("", "No such file"), ("{", "truncated"), ('{"max_sise": 1}', "max_sise")):
        if text:
            path.write_text(text)
        asked = command(world, "reload_config")
        world.bot.obey(asked)
        assert outcome(world, asked)["error"].startswith("the rules stay as they were: ")
        assert words in outcome(world, asked)["error"]
    path.write_text('{"max_size": 10.0, "min_profit": 2.0}')
    asked = command(world, "reload_config")
    world.bot.obey(asked)
    assert outcome(world, asked)["result"] == {"changed": ["max_size"]}
    assert world.events("config_reloaded")[-1]["changed"] == ["max_size"]
    assert world.trader._rules.max_size == 10.0
    assert world.trader._rules.patience_blocks == world.rules.patience_blocks


def test_it_introduces_itself_and_describes_what_it_holds(world: World):
    world.bot._rules_path = world.home / "arb-1.rules.json"
    world.bot._rules_path.write_text("{}")
    world.bot.introduce()
    assert [event["command"] for event in world.events("command_offered")] == ["describe"]
    assert world.events("config_reloaded")[-1].get("changed") == []
    held = with_position(world)
    asked = command(world, "describe")
    world.bot.obey(asked)
    assert outcome(world, asked)["result"]["position"] == held


def test_halted_sends_nothing_again_that_never_arrived(world: World, monkeypatch: pytest.MonkeyPatch):
    world.run_until(lambda: world.bot.trader is not None and world.trader._approvals.complete)
    before = len(world.events("order_submitted"))
    with monkeypatch.context() as cut:
        desk = world.trader._desk
        send = desk.send

        def cut_send(*args: Any, **more: Any) -> bool:
            world.provider.cut = True
            try:
                return send(*args, **more)
            finally:
                world.provider.cut = False

        cut.setattr(desk, "send", cut_send)
        world.run_until(lambda: len(world.events("order_submitted")) > before)
    (pending,) = world.trader.wallet.pending
    world.recorder.set_mode(Mode.HALTED)
    for _ in range(3):
        world.block()
    assert list(world.trader.wallet.pending) == [pending]


def test_a_close_that_waits_fails_where_the_chain_is_replaced(world: World, monkeypatch: pytest.MonkeyPatch):
    with_position(world)
    asked = command(world, "close_all")
    world.bot.obey(asked)

    def replaced() -> None:
        raise ChainReplaced("its first block is another one")

    monkeypatch.setattr(world.trader, "tick", replaced)
    assert world.bot.step() is False
    assert "the chain was replaced" in outcome(world, asked)["error"]
