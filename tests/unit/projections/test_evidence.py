"""What a bot's journal has to show before a command counts as done."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import (
    BotStarted,
    BotStopped,
    CommandAccepted,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    CommandUnconfirmed,
    ConfigReloaded,
    Event,
    HeartbeatSent,
    Mode,
    ModeChanged,
    OrderCanceled,
    OrderFilled,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    WatchlistChanged,
)
from deskwatch.projections import Commands
from deskwatch.projections.life import CommandState
from tests.lines import START_NS, record_of


def opened(name: str, symbol: str = "S", quantity: float | None = 2.0) -> PositionOpened:
    return PositionOpened(
        position_id=name, venue="v", symbol=symbol, side="long", quantity=quantity, entry_price=1.0, asset="A"
    )


def closed(name: str, symbol: str = "S") -> PositionClosed:
    return PositionClosed(position_id=name, venue="v", symbol=symbol, realized_pnl=0.0, asset="A")


def submitted(name: str, symbol: str = "S") -> OrderSubmitted:
    return OrderSubmitted(order_id=name, venue="v", symbol=symbol, side="buy", quantity=1.0)


def canceled(name: str, symbol: str = "S") -> OrderCanceled:
    return OrderCanceled(order_id=name, venue="v", symbol=symbol)


def filled(name: str, *, final: bool) -> OrderFilled:
    return OrderFilled(order_id=name, venue="v", symbol="S", side="buy", quantity=1.0, price=1.0, final=final)


def restarted(mode: Mode = Mode.STANDBY) -> BotStarted:
    return BotStarted(pid=1, host="h", mode=mode)


BEGUN, DONE = object(), object()
"""Where the bot begins the command, and where it says that it is done."""


def after(kind: str, params: dict[str, Any], *happened: Any) -> CommandState:
    """The command after what happened, a second apart."""
    commands = Commands()
    named: dict[str, Any] = {"command_id": "c", "command": kind}
    accepted = CommandAccepted(params=params, actor="operator", expires_ts=START_NS, **named)
    events: list[Event] = [accepted]
    for each in happened:
        if each is BEGUN:
            events.append(CommandStarted(params=params or None, **named))
        elif each is DONE:
            events.append(CommandSucceeded(**named))
        else:
            events.append(each)
    for number, event in enumerate(events):
        commands.apply(record_of(event, ts=START_NS + number * 10**9))
    command = commands.get("c")
    assert command is not None
    return command


P1 = {"position_id": "p1"}
UNCONFIRMED = CommandUnconfirmed(command_id="c", command="x", error="still open: p1")


@pytest.mark.parametrize(
    ("kind", "params", "happened", "status"),
    [
        # whole positions
        ("close_position", P1, [opened("p1"), BEGUN, DONE], "running"),
        ("close_position", P1, [opened("p1"), BEGUN, closed("p1"), DONE], "succeeded"),
        ("close_position", P1, [opened("p1"), BEGUN, DONE, closed("p1")], "succeeded"),
        ("close_position", P1, [opened("p1"), opened("p2"), BEGUN, DONE, closed("p2")], "running"),
        ("close_position", P1, [BEGUN, DONE], "succeeded"),  # never journaled as opened: the bot's word
        ("close_position", {"symbol": "S"}, [opened("p1"), opened("t", "T"), BEGUN, closed("p1"), DONE], "succeeded"),
        ("close_all", {}, [opened("p1"), opened("t", "T"), BEGUN, closed("p1"), DONE], "running"),
        ("close_all", {}, [opened("p1"), BEGUN, closed("p1"), DONE, opened("p2")], "succeeded"),
        ("close_all", {}, [BEGUN, opened("p1"), DONE], "running"),  # filled meanwhile: not all is closed
        ("close_all", {}, [opened("p1"), BEGUN, DONE, UNCONFIRMED], "unknown"),
        ("close_all", {}, [opened("p1"), BEGUN, DONE, UNCONFIRMED, closed("p1")], "succeeded"),
        # parts
        ("close_position", {**P1, "ratio": 0.5}, [opened("p1"), BEGUN, DONE], "running"),
        (
            "close_position",
            {**P1, "ratio": 0.5},
            [opened("p1"), BEGUN, PositionUpdated(position_id="p1", quantity=1.0), DONE],
            "succeeded",
        ),
        (
            "close_position",
            {**P1, "quantity": 0.5},
            [opened("p1"), BEGUN, DONE, PositionUpdated(position_id="p1", quantity=1.6)],
            "running",
        ),
        (
            "close_position",
            {**P1, "quantity": 0.5},
            [opened("p1"), BEGUN, DONE, PositionUpdated(position_id="p1", quantity=1.5)],
            "succeeded",
        ),
        ("close_position", {**P1, "quantity": 0.5}, [opened("p1"), BEGUN, DONE, closed("p1")], "succeeded"),
        ("close_position", {**P1, "ratio": 0.5}, [opened("p1", quantity=None), BEGUN, DONE], "succeeded"),
        ("close_position", {**P1, "ratio": 1.0}, [opened("p1"), BEGUN, DONE], "running"),
        # orders
        ("cancel_orders", {}, [submitted("o"), BEGUN, DONE], "running"),
        ("cancel_orders", {}, [submitted("o"), BEGUN, DONE, canceled("o")], "succeeded"),
        ("cancel_orders", {}, [submitted("o"), BEGUN, filled("o", final=False), DONE], "running"),
        ("cancel_orders", {}, [submitted("o"), BEGUN, filled("o", final=True), DONE], "succeeded"),
        (
            "cancel_orders",
            {"symbol": "S"},
            [submitted("o"), submitted("t", "T"), BEGUN, canceled("o"), DONE],
            "succeeded",
        ),
        ("cancel_orders", {}, [opened("o"), submitted("o"), BEGUN, canceled("o"), DONE], "succeeded"),  # ids may agree
        # modes
        ("set_mode", {"mode": "active"}, [BEGUN, ModeChanged(mode=Mode.ACTIVE), DONE], "succeeded"),
        ("set_mode", {"mode": "active"}, [BEGUN, DONE], "running"),
        ("set_mode", {"mode": "active"}, [ModeChanged(mode=Mode.ACTIVE), BEGUN, DONE], "succeeded"),
        (
            "set_mode",
            {"mode": "closing"},
            [BEGUN, ModeChanged(mode=Mode.CLOSING), ModeChanged(mode=Mode.STANDBY), DONE],
            "succeeded",
        ),
        (
            "set_mode",
            {"mode": "active"},
            [BEGUN, DONE, HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0, mode=Mode.ACTIVE)],
            "succeeded",
        ),
        # the rest
        ("set_watchlist", {"symbols": ["S", "T"]}, [BEGUN, DONE], "running"),
        ("set_watchlist", {"symbols": ["S", "T"]}, [BEGUN, DONE, WatchlistChanged(symbols=["T", "S"])], "succeeded"),
        ("set_watchlist", {"symbols": ["S", "T"]}, [BEGUN, WatchlistChanged(symbols=["S"]), DONE], "running"),
        ("reload_config", {}, [ConfigReloaded(), BEGUN, DONE], "running"),
        ("reload_config", {}, [BEGUN, ConfigReloaded(), DONE], "succeeded"),
        ("rebalance", {}, [BEGUN, DONE], "succeeded"),
        ("ping", {}, [BEGUN, DONE], "succeeded"),
    ],
)
def test_done_is_what_the_bot_said_and_its_journal_shows(
    kind: str, params: dict[str, Any], happened: list[Any], status: str
) -> None:
    command = after(kind, params, *happened)
    assert command.status == status
    assert (command.waiting_for is None) is (status == "succeeded")
    assert (command.finished_at is None) is (status != "succeeded")
    assert command.reported == "succeeded"


@pytest.mark.parametrize(
    ("kind", "params", "happened", "status"),
    [
        ("set_mode", {"mode": "active"}, [BEGUN, restarted(Mode.ACTIVE)], "succeeded"),
        ("set_mode", {"mode": "active"}, [BEGUN, restarted(Mode.STANDBY)], "failed"),
        ("set_mode", {"mode": "active"}, [BEGUN, BotStopped(reason="closed")], "unknown"),
        ("set_mode", {"mode": "active"}, [BEGUN, BotStopped(reason="closed"), restarted(Mode.ACTIVE)], "succeeded"),
        ("set_mode", {"mode": "active"}, [BEGUN, ModeChanged(mode=Mode.ACTIVE), restarted()], "succeeded"),
        ("ping", {}, [BEGUN, restarted()], "failed"),
        ("close_all", {}, [BEGUN, restarted()], "unknown"),  # a bot that never journals a position
        ("close_all", {}, [opened("p1"), closed("p1"), BEGUN, restarted()], "succeeded"),
        ("close_all", {}, [opened("p1"), BEGUN, restarted()], "unknown"),
        ("close_all", {}, [opened("p1"), BEGUN, restarted(), closed("p1")], "succeeded"),
        ("close_position", P1, [opened("p1"), BEGUN, closed("p1"), restarted()], "succeeded"),
        ("close_position", {**P1, "ratio": 0.5}, [opened("q"), BEGUN, restarted()], "unknown"),
        (
            "close_position",
            {**P1, "ratio": 0.5},
            [opened("p1"), BEGUN, restarted(), PositionUpdated(position_id="p1", quantity=0.9)],
            "succeeded",
        ),
        ("cancel_orders", {}, [submitted("o"), BEGUN, restarted()], "unknown"),
        ("cancel_orders", {}, [submitted("o"), BEGUN, restarted(), canceled("o")], "succeeded"),
        ("cancel_orders", {}, [BEGUN, restarted()], "unknown"),
        ("set_watchlist", {"symbols": ["S"]}, [WatchlistChanged(symbols=["S"]), BEGUN, restarted()], "unknown"),
        ("set_watchlist", {"symbols": ["S"]}, [BEGUN, restarted(), WatchlistChanged(symbols=["S"])], "succeeded"),
        ("reload_config", {}, [BEGUN, restarted()], "unknown"),
        ("reload_config", {}, [BEGUN, restarted(), ConfigReloaded()], "succeeded"),
        ("rebalance", {}, [BEGUN, restarted(), restarted()], "unknown"),
    ],
)
def test_of_a_bot_that_died_over_a_command_its_state_tells_or_nothing_does(
    kind: str, params: dict[str, Any], happened: list[Any], status: str
) -> None:
    command = after(kind, params, *happened)
    assert command.status == status
    assert bool(command.error) is (status in ("unknown", "failed"))


def test_what_is_still_seen_is_told() -> None:
    command = after("close_all", {}, *(opened(f"p{number}") for number in range(7)), BEGUN, DONE, closed("p0"))
    assert command.waiting_for == "no position to be open; still open: p1, p2, p3, p4, p5 …"
    assert after("set_mode", {"mode": "halted"}, BEGUN).waiting_for == "the mode halted to be in force"
    assert after("cancel_orders", {"symbol": "S"}, BEGUN).waiting_for == "no order of S to be open"
    assert after("rebalance", {}, BEGUN).waiting_for == "the bot's word"
    assert after("ping", {}).waiting_for == "the bot to start: it is not running"
    assert after("ping", {}, restarted()).waiting_for == "the bot to begin it"


def test_a_command_that_waits_too_long_or_whose_bot_is_silent_is_doubtful() -> None:
    def doubts(last: float | None, *happened: Any) -> list[str]:
        commands = Commands()
        named: dict[str, Any] = {"command_id": "c", "command": "close_all"}
        for event in (opened("p1"), CommandStarted(**named), *happened):
            commands.apply(record_of(event))
        return [why for _, why in commands.doubtful(START_NS / 1e9 + 60, 30, lambda _: last)]

    now = START_NS / 1e9 + 60
    done = CommandSucceeded(command_id="c", command="close_all")
    assert doubts(now) == []  # it works on it
    assert doubts(None) == []
    (silent,) = doubts(now - 31)
    assert "was not heard for 30 s" in silent
    (unseen,) = doubts(now, done)
    assert unseen.endswith("it waits for no position to be open; still open: p1")
    assert doubts(now, done, closed("p1")) == []
    assert doubts(now, CommandFailed(command_id="c", command="close_all", error="no")) == []


def test_of_several_writers_main_has_the_word() -> None:
    """A mode is for all of a bot's processes; each says what it did, and they may be read in any order."""
    started = CommandStarted(command_id="c", command="set_mode", params={"mode": "active"})
    failed = CommandFailed(command_id="c", command="set_mode", error="no")
    changed = ModeChanged(mode=Mode.ACTIVE)
    done = CommandSucceeded(command_id="c", command="set_mode")
    of_main = [record_of(event) for event in (started, changed, done)]
    of_feeder = [record_of(event, writer="feeder") for event in (started, failed)]
    for records in ([*of_main, *of_feeder], [*of_feeder, *of_main]):
        commands = Commands()
        for record in records:
            commands.apply(record)
        command = commands.get("c")
        assert command is not None
        assert (command.status, command.writer, command.error) == ("succeeded", "main", None)
