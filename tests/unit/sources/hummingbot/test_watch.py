"""A scripted Hummingbot at a real broker, from its messages to the journal."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiomqtt
import pytest

from deskwatch.events import (
    BotStarted,
    BotStopped,
    ConnectionChanged,
    ErrorOccurred,
    FundingPaid,
    HeartbeatSent,
    LogRecorded,
    Mode,
    ModeChanged,
    OrderFilled,
    OrderSubmitted,
    PositionOpened,
)
from deskwatch.sources.hummingbot import performance as performance_module
from tests.brokers import Broker
from tests.fakes.hummingbot import ScriptedHummingbot
from tests.sources.watching import Watching
from tests.waiting import eventually_async

Watch = Callable[..., Watching]
QUICK_SECONDS = 0.3


async def seen(watching: Watching, *kinds: type[Any], count: int = 1) -> list[Any]:
    """The events of these types, once there are so many."""
    return await eventually_async(lambda: found if len(found := watching.of(*kinds)) >= count else None)


async def test_it_is_told_as_started_with_its_history_before_its_first_heartbeat(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    """History says when its trades happened, and where: orders after it have the connector."""
    hummingbot.trade(1.0, 100.0, age=3600.0)
    one = watching()
    async with one.running() as health:
        await seen(one, HeartbeatSent)
        order = hummingbot.create(2.0, 100.0)
        hummingbot.fill(order, 0.5)
        hummingbot.fill(order)
        await seen(one, OrderFilled, count=3)
        assert health.failures == {}
    started, beat = one.of(BotStarted)[0], one.of(HeartbeatSent)[0]
    assert (started.mode, started.boot is not None, beat.mode) == (Mode.ACTIVE, True, Mode.ACTIVE)
    before, first, last = one.of(OrderFilled)
    assert (before.final, before.quantity, before.fee, before.fee_asset) == (False, 1.0, 0.1, "USDT")
    assert before.happened_timestamp_seconds == pytest.approx(time.time() - 3600, abs=60)
    assert (first.final, first.quantity, last.final, last.quantity) == (False, 0.5, True, 1.5)
    assert {fill.venue for fill in (before, first, last)} == {"binance"}
    events = one.events()
    assert events.index(started) < events.index(before) < events.index(beat)


async def test_a_gap_is_closed_of_history_once_it_is_heard_again(
    hummingbot: ScriptedHummingbot, watching: Watch, broker: Broker
) -> None:
    one = watching()
    async with one.running():
        await seen(one, HeartbeatSent)
        await broker.stop()
        hummingbot.trade(1.0, 100.0)
        await broker.start()
        (fill,) = await seen(one, OrderFilled)
        assert fill.order_id.startswith("unseen:")
    ups = [(event.connection, event.up) for event in one.of(ConnectionChanged)]
    assert ups[:4] == [("mqtt", True), ("heartbeat", True), ("mqtt", False), ("heartbeat", False)]
    assert sorted(ups[4:]) == [("heartbeat", True), ("mqtt", True)]
    assert len(one.of(BotStarted)) == 1


async def test_what_happened_while_no_strategy_was_loaded_is_told_once_one_is(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    """Until then its history is empty."""
    hummingbot.running = False
    hummingbot.trade(1.0, 100.0)
    one = watching()
    async with one.running():
        (started,) = await seen(one, BotStarted)
        assert started.mode is Mode.HALTED
        await seen(one, HeartbeatSent)
        assert one.of(OrderFilled) == []
        hummingbot.running = True
        hummingbot.log("hummingbot.core.trading_core", "Strategy pmm started successfully")
        await seen(one, OrderFilled)
        assert one.of(ModeChanged)[-1].mode is Mode.ACTIVE


async def test_silence_is_a_lost_connection_and_no_end(hummingbot: ScriptedHummingbot, watching: Watch) -> None:
    one = watching(silent_seconds=1.5)
    async with one.running() as health:
        await seen(one, HeartbeatSent)
        await hummingbot.crash()
        await seen(one, ConnectionChanged, count=3)
        assert not health.is_up
    lost = one.of(ConnectionChanged)[-1]
    assert (lost.connection, lost.up, lost.reason) == ("heartbeat", False, "no heartbeat for 1.5 s")
    assert one.of(BotStopped) == []


async def test_a_start_is_known_by_its_bridges_own_word(hummingbot: ScriptedHummingbot, watching: Watch) -> None:
    """A cut of its connection says `online`, too, and is no start."""
    one = watching()
    async with one.running():
        await seen(one, HeartbeatSent)
        hummingbot.publish(
            "status_updates", {"timestamp": int(time.time() * 1e3), "type": "availability", "msg": "online"}
        )
        await asyncio.sleep(QUICK_SECONDS)
        assert len(one.of(BotStarted)) == 1
        await hummingbot.crash()
        await hummingbot.boot()
        first, again = await seen(one, BotStarted, count=2)
        assert first.boot != again.boot


@pytest.mark.parametrize("runs", [True, False])
async def test_offline_is_an_end_only_where_no_strategy_ran(
    hummingbot: ScriptedHummingbot,
    watching: Watch,
    runs: bool,
) -> None:
    """It is also said when the bridge alone is stopped, and trading goes on."""
    hummingbot.running = runs
    one = watching(silent_seconds=60.0)
    async with one.running():
        await seen(one, HeartbeatSent)
        offline = {"timestamp": int(time.time() * 1e3), "type": "availability", "msg": "offline"}
        hummingbot.publish("status_updates", offline)
        await eventually_async(lambda: [event.up for event in one.of(ConnectionChanged)].count(False) == 1)
    assert len(one.of(BotStopped)) == (0 if runs else 1)


async def test_a_version_that_cannot_tell_its_status_shows_its_mode_by_its_log(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    """From 2.7 on: until its log says otherwise it may be trading."""
    hummingbot.tells_status = False
    one = watching()
    async with one.running():
        (started,) = await seen(one, BotStarted)
        assert started.mode is Mode.ACTIVE
        hummingbot.log("hummingbot.client.hummingbot_application", "stop command initiated.")
        await eventually_async(lambda: one.of(ModeChanged)[-1].mode is Mode.HALTED)
        hummingbot.create(1.0, 100.0)
        await eventually_async(lambda: one.of(ModeChanged)[-1].mode is Mode.ACTIVE)
    assert [event.actor for event in one.of(ModeChanged)] == ["hummingbot"] * 3


async def test_its_log_notices_funding_and_reports_are_told(
    hummingbot: ScriptedHummingbot, watching: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performance_module, "EVERY_SECONDS", 0.05)
    one = watching()
    async with one.running():
        await seen(one, HeartbeatSent)
        hummingbot.log("hummingbot.connector.exchange", "an order was created", 20)
        hummingbot.log("hummingbot.connector.exchange", "slow; api_key=abcdef0123456789", 30)
        trace = "no balance\nTraceback (most recent call last):\n  File …\nasyncio.exceptions.TimeoutError: in vain"
        hummingbot.log("hummingbot.strategy", trace, 40)
        hummingbot.publish("notify", {"seq": 0, "timestamp": -1, "msg": "\nHummingbot stopped."})
        payment = {"market": "binance_perpetual", "trading_pair": "BTC-USDT", "amount": -0.25, "funding_rate": 0.0001}
        hummingbot.event("FundingPaymentCompleted", payment)
        hummingbot.event("RangePositionLiquidityAdded", {"trading_pair": "SOL-USDC", "order_id": "r1"})
        hummingbot.event("SomethingNew", {"figure": 1})
        row = {"connector_name": "binance", "trading_pair": "BTC-USDT", "side": "TradeType.SELL", "amount": 1.0}
        row |= {"breakeven_price": 100.0, "unrealized_pnl_quote": 1.0, "realized_pnl_quote": 0.0}
        hummingbot.publish("performance", {"pmm": {"performance": {"positions_summary": [row]}, "custom_info": {}}})
        (position,) = await seen(one, PositionOpened)
        assert (position.position_id, position.side) == ("pmm binance BTC-USDT", "short")
        assert one.of(FundingPaid) == [
            FundingPaid(venue="binance_perpetual", symbol="BTC-USDT", amount=-0.25, asset="USDT")
        ]
        (error,) = one.of(ErrorOccurred)
        assert (error.component, error.kind, error.message) == ("hummingbot.strategy", "TimeoutError", "no balance")
        assert [(event.name, event.levelname, event.message) for event in one.of(LogRecorded)] == [
            ("hummingbot.connector.exchange", "WARNING", "slow; api_key=[redacted]"),
            ("notify", "INFO", "Hummingbot stopped."),
            ("events", "INFO", "liquidity added to SOL-USDC"),
            ("events", "DEBUG", "event SomethingNew"),
        ]


async def test_what_the_broker_kept_is_not_taken_for_what_hummingbot_says(broker: Broker, watching: Watch) -> None:
    """A heartbeat that was published as retained would come at each connection, whoever is dead."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        beat = json.dumps({"ts": int(time.time() * 1e6)})
        await client.publish("hbot/hb-1/hb", beat, retain=True)
        one = watching()
        async with one.running() as health:
            await eventually_async(lambda: health.failures["retained"] == 1)
            await client.publish("hbot/hb-1/hb", beat)
            await eventually_async(lambda: health.is_up)
            for _ in range(2):
                await client.publish("hbot/hb-1/hb", beat)
            await eventually_async(lambda: health.failures["heartbeat"] == 2)


async def test_other_instances_are_not_heard(hummingbot: ScriptedHummingbot, broker: Broker, watching: Watch) -> None:
    one = watching()
    async with ScriptedHummingbot(broker.port, instance="hb-2") as other, one.running():
        await seen(one, HeartbeatSent)
        other.create(1.0, 100.0)
        mine = hummingbot.create(1.0, 100.0)
        await seen(one, OrderSubmitted)
        assert [event.order_id for event in one.of(OrderSubmitted)] == [mine]


async def test_where_commands_are_off_it_is_watched_all_the_same(
    hummingbot: ScriptedHummingbot, watching: Watch
) -> None:
    """And each look is in vain, so history is not asked for besides."""
    hummingbot.replies = False
    one = watching(reply_seconds=0.2)
    async with one.running() as health:
        (started,) = await seen(one, BotStarted)
        assert started.mode is Mode.ACTIVE
        hummingbot.fill(hummingbot.create(1.0, 100.0))
        await seen(one, OrderFilled)
        await eventually_async(lambda: health.failures["no_reply"] >= 2)
        assert health.is_up
    assert {command for command, _ in hummingbot.commands} == {"status"}
