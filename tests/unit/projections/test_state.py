"""Live state."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.events import Event, Mode
from deskwatch.journal import Record
from deskwatch.projections import State
from deskwatch.projections import state as state_module
from deskwatch.projections.counts import Counts
from deskwatch.projections.state import BotState
from tests import strategies
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import Fields

OPENED: Fields = {
    "venue": "v",
    "symbol": "ETH",
    "side": "long",
    "quantity": 2.0,
    "entry_price": 100.0,
    "asset": "USDT",
}
MINED: Fields = {
    "chain": "local",
    "transaction": "0xab",
    "sender": "0xcd",
    "block": 7,
    "gas_used": 21_000,
    "gas_price_wei": "1",
    "asset": "ETH",
}


def after(*events: Event, into: State | None = None) -> BotState:
    """The bot after these events, a second apart."""
    state = into or State()
    for number, event in enumerate(events):
        state.apply(record_of(event, ts=START_NS + number * 10**9))
    return state.bots["arb-1"]


def test_a_start_tells_what_runs_and_a_stop_that_it_does_not() -> None:
    started = ev.BotStarted(pid=7, host="h", mode=Mode.STANDBY, version="1", strategy="s")
    bot = after(started)
    assert (bot.running, bot.pid, bot.host, bot.version, bot.strategy) == (True, 7, "h", "1", "s")
    assert bot.started == START_NS / 1e9
    assert not after(started, ev.BotStopped(reason="closed")).running


def test_of_several_writers_main_speaks_for_the_bot() -> None:
    state = State()

    def tell(event: Event, writer: str) -> None:
        state.apply(record_of(event, writer=writer))

    tell(ev.BotStarted(pid=7, host="h", mode=Mode.STANDBY), "feeder")
    assert (state.bots["arb-1"].running, state.bots["arb-1"].pid) == (True, 7)
    tell(ev.ModeChanged(mode=Mode.STANDBY, reason="start"), "feeder")
    assert state.bots["arb-1"].mode.actual == "standby"
    tell(ev.BotStarted(pid=8, host="h", mode=Mode.ACTIVE), "main")
    tell(ev.ModeChanged(mode=Mode.ACTIVE, reason="start"), "main")
    tell(ev.BotStopped(reason="closed"), "feeder")
    tell(ev.BotStarted(pid=9, host="h", mode=Mode.STANDBY), "feeder")
    tell(ev.ModeChanged(mode=Mode.STANDBY, reason="start"), "feeder")
    assert state.bots["arb-1"].mode.actual == "active"
    assert (state.bots["arb-1"].running, state.bots["arb-1"].pid) == (True, 8)
    tell(ev.BotStopped(reason="closed"), "main")
    assert not state.bots["arb-1"].running


def test_a_heartbeat_tells_life_and_idleness() -> None:
    bot = after(ev.HeartbeatSent(uptime_seconds=9.0, idle_seconds=4.0))
    assert (bot.last_heartbeat, bot.idle_seconds, bot.last_event) == (START_NS / 1e9, 4.0, START_NS / 1e9)


def test_the_mode_has_what_is_and_what_was_asked_for() -> None:
    asked = ev.CommandAccepted(
        command_id="c", command="set_mode", params={"mode": "active"}, actor="operator", expires_ts=1
    )
    bot = after(ev.ModeChanged(mode=Mode.STANDBY, reason="start", actor="bot"), asked)
    assert (bot.mode.actual, bot.mode.desired, bot.mode.reason) == ("standby", "active", "start")
    bot = after(
        ev.ModeChanged(mode=Mode.STANDBY, reason="start"),
        ev.ModeChanged(mode=Mode.ACTIVE, previous=Mode.STANDBY, reason="go", actor="operator"),
        ev.ModeChanged(mode=Mode.ACTIVE, reason="start"),
    )
    assert (bot.mode.actual, bot.mode.reason, bot.mode.actor) == ("active", "go", "operator")
    assert bot.mode.since == START_NS / 1e9 + 1


def test_counts_add_up() -> None:
    order: Fields = {"order_id": "o", "venue": "v", "symbol": "s"}
    bot = after(
        ev.OrderSubmitted(side="buy", quantity=1.0, **order),
        ev.OrderFilled(side="buy", quantity=1.0, price=1.0, final=False, **order),
        ev.OrderFilled(side="buy", quantity=1.0, price=1.0, final=True, **order),
        ev.OrderRejected(reason="r", **order),
        ev.TransactionSent(chain="c", transaction="t", sender="s", nonce=1),
        ev.TransactionConfirmed(gas_cost=0.5, **MINED),
        ev.TransactionReverted(gas_cost=0.25, reason="r", **MINED),
        ev.TransactionReverted(gas_cost=0.25, reason="r", again=True, **MINED),
        ev.OpportunityFound(
            opportunity_id="o", strategy="s", symbol="s", spread_ratio=0.1, expected_profit=1.0, asset="A"
        ),
        ev.ErrorOccurred(component="c", kind="k", message="m"),
    )
    assert bot.counts == Counts(
        events=10,
        orders_submitted=1,
        orders_filled=1,
        orders_failed=1,
        transactions_sent=1,
        transactions_reverted=1,
        opportunities_found=1,
        errors=1,
    )
    assert bot.gas_spent == {"ETH": 0.75}
    assert bot.last_error == {"component": "c", "kind": "k", "message": "m", "at": START_NS / 1e9 + 9}


def test_a_position_lives_from_opened_to_closed() -> None:
    opened = ev.PositionOpened(position_id="p", **OPENED)
    updated = ev.PositionUpdated(position_id="p", mark_price=110.0, unrealized_pnl=20.0)
    closed = ev.PositionClosed(position_id="p", venue="v", symbol="ETH", realized_pnl=19.5, asset="USDT")
    position = after(opened, updated).positions["p"]
    assert position == {
        **OPENED,
        "position_id": "p",
        "mark_price": 110.0,
        "unrealized_pnl": 20.0,
        "at": START_NS / 1e9 + 1,
    }
    bot = after(opened, updated, closed, closed)
    assert bot.positions == {}
    assert (bot.counts.trades_closed, bot.counts.trades_won) == (2, 2)
    assert bot.realized_pnl == {"USDT": 39.0}
    assert after(updated).positions == {}


def test_a_trade_of_unknown_result_or_beyond_all_bounds_moves_no_total() -> None:
    def closed(pnl: float | None) -> Event:
        return ev.PositionClosed(position_id="p", venue="v", symbol="s", realized_pnl=pnl, asset="USDT")

    assert after(closed(5.0), closed(None)).realized_pnl == {"USDT": 5.0}
    bot = after(closed(1.7e308), closed(1.7e308))
    assert bot.realized_pnl == {"USDT": 1.7e308}


def test_figures_are_kept_by_name_and_are_the_newest() -> None:
    bot = after(
        ev.BalanceObserved(venue="v", asset="ETH", total=1.0),
        ev.BalanceObserved(venue="v", asset="ETH", total=2.0, free=1.0),
        ev.PriceObserved(venue="v", symbol="ETH", price=1800.0, change_24h_ratio=0.01, volume_24h=5.0),
        ev.ConnectionChanged(connection="rpc", venue="old", up=False),
        ev.ConnectionChanged(connection="rpc", venue="old", up=False, gone=True),
        ev.ConnectionChanged(connection="rpc", venue="node", up=False, reason="timeout"),
        ev.GasPriceObserved(chain="c", gas_price_wei="17"),
        ev.BlockObserved(chain="c", block=9, block_timestamp_seconds=1.0),
        ev.EquityObserved(equity=100.0, asset="USDT"),
        ev.EquityObserved(equity=None, asset="USDT"),
    )
    assert bot.balances["v ETH"]["total"] == 2.0
    assert bot.prices["v ETH"] == {
        "venue": "v",
        "symbol": "ETH",
        "price": 1800.0,
        "at": START_NS / 1e9 + 2,
        "change_24h_ratio": 0.01,
        "volume_24h": 5.0,
    }
    assert bot.connections.keys() == {"node rpc"}
    assert bot.connections["node rpc"]["up"] is False
    assert (bot.gas_price_wei, bot.head_block, bot.equity) == ("17", 9, {"USDT": 100.0})


def test_the_last_decision_and_prediction_are_kept_whole() -> None:
    bot = after(
        ev.DecisionMade(decision_id="d", action="buy", provider="gpt", inputs={"spread": 0.1}),
        ev.PredictionMade(prediction_id="p", provider="m", target="t", probability=0.7),
    )
    assert bot.last_decision == {
        "decision_id": "d",
        "action": "buy",
        "provider": "gpt",
        "inputs": {"spread": 0.1},
        "at": START_NS / 1e9,
    }
    assert bot.last_prediction is not None
    assert bot.last_prediction["probability"] == 0.7


def test_alerts_are_raised_until_cleared_for_each_symbol() -> None:
    raised = [ev.RiskAlertRaised(alert="exposure", severity="warning", symbol=symbol) for symbol in ("ETH", None)]
    assert set(after(*raised).alerts) == {"exposure ETH", "exposure"}
    assert set(after(*raised, ev.RiskAlertCleared(alert="exposure", symbol="ETH")).alerts) == {"exposure"}
    assert after(*raised, ev.RiskAlertCleared(alert="other")).alerts.keys() == {"exposure ETH", "exposure"}


def test_the_sidecars_own_journal_is_no_bot_and_its_words_are_no_life_of_one() -> None:
    state = State()
    state.apply(record_of(ev.SignInRefused(route="GET /", remote="r", problem="wrong"), bot="_sidecar"))
    assert state.bots == {}
    assert after(ev.ProcessActed(action="start", actor="a")).last_event is None


def test_who_changed_is_remembered_until_it_is_asked() -> None:
    state = State()
    after(ev.BotStopped(reason="closed"), into=state)
    assert state.changed == {"arb-1"}


def test_the_equity_curve_is_thinned_and_keeps_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "CURVE_POINTS", 16)
    bot = after(*(ev.EquityObserved(equity=float(number), asset="USDT") for number in range(500)))
    values = [equity for _, equity in bot.equity_curve]
    assert len(values) <= 16
    assert values[0] == 0
    assert values == sorted(values)
    assert values[-1] > 400


def test_what_is_kept_by_name_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "MAX_NAMED", 3)
    monkeypatch.setattr(state_module, "MAX_POSITIONS", 2)
    bot = after(
        *(ev.BalanceObserved(venue="v", asset=str(number), total=1.0) for number in range(9)),
        *(ev.PositionOpened(position_id=str(number), **OPENED) for number in range(9)),
        ev.BalanceObserved(venue="v", asset="0", total=5.0),
    )
    assert (len(bot.balances), len(bot.positions)) == (3, 2)
    assert bot.balances["v 0"]["total"] == 5.0


def shown(state: State) -> Any:
    return json.loads(msgspec.json.encode(state.bots))


@given(records=strategies.records(), cut=st.integers(0, 20))
def test_a_checkpoint_in_between_changes_nothing(records: list[Record], cut: int) -> None:
    whole, first, second = State(), State(), State()
    for record in records:
        whole.apply(record)
    for record in records[:cut]:
        first.apply(record)
    second.load(json.loads(msgspec.json.encode(first.dump())))
    assert shown(second) == shown(first)
    for record in records[cut:]:
        second.apply(record)
    assert shown(second) == shown(whole)


def test_a_heartbeat_corrects_the_mode() -> None:
    beat = ev.HeartbeatSent(uptime_seconds=9.0, idle_seconds=4.0, mode=ev.Mode.HALTED)
    bot = after(beat)
    assert (bot.mode.actual, bot.mode.since) == ("halted", None)
    bot = after(ev.ModeChanged(mode=ev.Mode.HALTED, reason="storm"), beat)
    assert (bot.mode.actual, bot.mode.reason) == ("halted", "storm")
    bot = after(ev.ModeChanged(mode=ev.Mode.ACTIVE, reason="calm"), beat)
    assert (bot.mode.actual, bot.mode.reason) == ("halted", None)
