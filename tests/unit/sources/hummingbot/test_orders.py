"""Orders and fills, from what is published of them to what is journaled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from deskwatch.events import (
    Event,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
from deskwatch.sources.hummingbot import orders as orders_module
from deskwatch.sources.hummingbot.fills import of_history
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.hummingbot.orders import Orders
from deskwatch.sources.watched import Watched
from tests.unit.sources.hummingbot.conftest import BOT
from tests.waiting import eventually_async

Told = Callable[[], list[Event]]
FEE: dict[str, Any] = {"fee_type": "AddedToCost", "percent": "0.001", "percent_token": None, "flat_fees": []}


class Desk:
    """Hummingbot's side: publishes events of one order after another."""

    def __init__(self, watched: Watched, venue: str | None = "binance") -> None:
        self.misses = 0
        self.memory = cast("HummingbotMemory", watched.memory)
        self.orders = Orders(watched, self.memory, venue=venue, strategy="pmm", missed=self._missed)

    def _missed(self) -> None:
        self.misses += 1

    def created(self, order_id: str, amount: object, *, at: float | None = None, **more: Any) -> bool:
        at = time.time() if at is None else at
        data = {"type": "OrderType.LIMIT", "trading_pair": "BTC-USDT", "amount": amount, "price": 100.0}
        return self.orders.take(
            "BuyOrderCreated", {**data, "order_id": order_id, "creation_timestamp": at, **more}, float(int(at))
        )

    def filled(self, order_id: str, amount: object, trade: str, *, at: float | None = None, **more: Any) -> bool:
        data = {"trading_pair": "BTC-USDT", "trade_type": "TradeType.BUY", "price": 100.0, "trade_fee": FEE}
        at = time.time() if at is None else at
        return self.orders.take(
            "OrderFilled",
            {**data, "order_id": order_id, "amount": amount, "exchange_trade_id": trade, **more},
            float(int(at)),
        )

    def completed(self, order_id: str, amount: float) -> bool:
        data = {"order_id": order_id, "base_asset_amount": amount, "quote_asset_amount": amount * 100.0}
        return self.orders.take("BuyOrderCompleted", data, float(int(time.time())))

    def recover(self, *trades: tuple[str, str, float]) -> int:
        """Side, id and quantity of each."""
        rows = [
            {
                "market": "binance",
                "trade_id": trade,
                "price": "100.",
                "quantity": str(quantity),
                "symbol": "BTC-USDT",
                "trade_timestamp": int(time.time() * 1e3),
                "trade_type": side,
                "raw_json": {"trade_fee": FEE},
            }
            for side, trade, quantity in trades
        ]
        return self.orders.recover([fill for row in rows if (fill := of_history(row)) is not None])


@pytest.fixture
def desk(watched: Watched) -> Desk:
    return Desk(watched)


def fills(told: Told) -> list[tuple[str, float | None, bool]]:
    return [(one.order_id, one.quantity, one.final) for one in told() if isinstance(one, OrderFilled)]


def test_an_order_is_told_with_all_that_hummingbot_says_of_it(desk: Desk, told: Told) -> None:
    assert desk.created("o1", "2.0", exchange_order_id="e1")
    assert desk.filled("o1", 2.0, "t1")
    order: Any = {"order_id": "o1", "venue": "binance", "symbol": "BTC-USDT", "strategy": "pmm"}
    assert told() == [
        OrderSubmitted(**order, side="buy", quantity=2.0, order_type="limit", price=100.0, asset="USDT"),
        OrderAcknowledged(**order, venue_order_id="e1"),
        OrderFilled(
            **order,
            side="buy",
            quantity=2.0,
            price=100.0,
            final=True,
            asset="USDT",
            fee=0.2,
            fee_asset="USDT",
            fill_id="t1",
        ),
    ]


def test_the_fill_that_makes_up_the_quantity_is_the_last(desk: Desk, told: Told) -> None:
    desk.created("o1", 2.0)
    for trade, amount in (("t1", 0.5), ("t2", 0.5), ("t3", 1.0)):
        desk.filled("o1", amount, trade)
    desk.completed("o1", 2.0)
    assert fills(told) == [("o1", 0.5, False), ("o1", 0.5, False), ("o1", 1.0, True)]
    assert desk.memory.orders == {}
    assert desk.misses == 0


def test_a_fill_that_leaves_less_than_a_step_is_held_until_the_order_is_complete(desk: Desk, told: Told) -> None:
    desk.created("o1", 2.0)
    desk.filled("o1", 1.9999, "t1")
    assert fills(told) == []
    desk.completed("o1", 1.9999)
    assert fills(told) == [("o1", 1.9999, True)]


async def test_what_is_held_is_told_soon_whatever_comes(
    desk: Desk, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_module, "HOLD_SECONDS", 0.05)
    running = asyncio.create_task(desk.orders.run())
    desk.filled("never-heard-of", 1.0, "t1")
    await eventually_async(lambda: fills(told) == [("never-heard-of", 1.0, False)])
    running.cancel()


def test_a_market_orders_fill_may_come_before_its_creation(desk: Desk, told: Told) -> None:
    desk.filled("o1", 2.0, "t1")
    desk.created("o1", 2.0)
    assert [type(one) for one in told()] == [OrderSubmitted, OrderAcknowledged, OrderFilled]
    assert fills(told) == [("o1", 2.0, True)]


def test_a_fill_or_an_order_that_comes_again_is_told_once(desk: Desk, told: Told) -> None:
    for _ in range(2):
        desk.created("o1", 2.0)
        desk.filled("o1", 2.0, "t1")
    desk.recover(("BUY", "t1", 2.0))
    assert len(told()) == 3


def test_both_sides_of_a_trade_with_oneself_are_told(desk: Desk, told: Told) -> None:
    """They have one trade's id."""
    desk.filled("o1", 1.0, "t1")
    desk.filled("o2", 1.0, "t1", trade_type="TradeType.SELL")
    desk.orders.release()
    assert [one[0] for one in fills(told)] == ["o1", "o2"]


def test_trades_without_an_id_are_known_by_second_and_quantity(desk: Desk, told: Told) -> None:
    now = time.time()
    for amount in (1.0, 1.0, 2.5):
        desk.filled("o1", amount, "", at=now)
    desk.orders.release()
    assert [one[1] for one in fills(told)] == [1.0, 2.5]


def test_an_order_that_ends_otherwise_is_told_where_it_was(desk: Desk, told: Told) -> None:
    for order_id in ("o1", "o2", "o3"):
        desk.created(order_id, 1.0)
    desk.orders.take("OrderCancelled", {"order_id": "o1"}, None)
    desk.orders.take("OrderExpired", {"order_id": "o2"}, None)
    desk.orders.take("OrderFailure", {"order_id": "o3", "error_type": "ValueError", "error_message": "too small"}, None)
    where: Any = {"venue": "binance", "symbol": "BTC-USDT"}
    assert told()[-3:] == [
        OrderCanceled(order_id="o1", **where),
        OrderExpired(order_id="o2", **where),
        OrderRejected(order_id="o3", **where, reason="ValueError", message="too small"),
    ]
    assert desk.memory.orders == {}


def test_an_order_that_failed_before_it_was_created_has_no_known_symbol(desk: Desk, told: Told) -> None:
    desk.orders.take("OrderFailure", {"order_id": "o9", "error_type": "not an <identifier>"}, None)
    assert told() == [OrderRejected(order_id="o9", venue="binance", symbol="unknown", reason="failed")]


def test_what_is_heard_late_says_when_it_happened(desk: Desk, told: Told) -> None:
    before = float(int(time.time())) - 60
    desk.created("o1", 1.0, at=before)
    desk.filled("o1", 1.0, "t1", at=before)
    assert {one.happened_timestamp_seconds for one in told()} == {before}


def test_history_tells_what_was_not_heard_and_nothing_twice(desk: Desk, told: Told) -> None:
    desk.created("o1", 5.0)
    desk.filled("o1", 1.0, "t1")
    assert desk.recover(("BUY", "t2", 1.0), ("BUY", "t1", 1.0), ("SELL", "t1", 1.0)) == 2
    assert desk.recover(("BUY", "t2", 1.0)) == 0
    assert fills(told) == [("o1", 1.0, False), ("unseen:t2", 1.0, False), ("unseen:t1", 1.0, False)]


def test_a_complete_order_gets_the_fills_that_it_lacks_from_history(desk: Desk, told: Told) -> None:
    desk.created("o1", 3.0)
    desk.filled("o1", 1.0, "t1")
    desk.completed("o1", 3.0)
    assert desk.misses == 1
    desk.recover(("BUY", "t1", 1.0), ("BUY", "t2", 0.5), ("SELL", "t9", 1.5), ("BUY", "t3", 1.5))
    assert fills(told)[1:] == [("o1", 0.5, False), ("unseen:t9", 1.5, False), ("o1", 1.5, True)]
    desk.orders.settle()
    assert len(fills(told)) == 4


def test_a_complete_order_whose_fills_nobody_has_is_closed_with_a_fill_of_nothing(desk: Desk, told: Told) -> None:
    desk.created("o1", 3.0)
    desk.completed("o1", 3.0)
    desk.orders.settle()
    assert fills(told) == [("o1", 0.0, True)]
    assert desk.memory.orders == {}


def test_orders_whose_end_was_not_heard_are_canceled_once_no_strategy_runs(desk: Desk, told: Told) -> None:
    desk.created("o1", 3.0)
    desk.orders.abandon()
    assert told()[-1] == OrderCanceled(order_id="o1", venue="binance", symbol="BTC-USDT", reason="unseen")
    desk.orders.abandon()
    assert len(told()) == 3


def test_where_no_connector_is_configured_history_teaches_it(watched: Watched, told: Told) -> None:
    """As long as the pair is traded on one alone."""
    desk = Desk(watched, venue=None)
    desk.created("o1", 1.0)
    desk.orders.learn("BTC-USDT", "kraken")
    desk.created("o2", 1.0)
    desk.orders.learn("BTC-USDT", "okx")
    desk.created("o3", 1.0)
    assert [one.venue for one in told() if isinstance(one, OrderSubmitted)] == ["hummingbot", "kraken", "hummingbot"]


async def test_a_restart_remembers_what_was_told(desk: Desk, watched: Watched, home: Path, told: Told) -> None:
    desk.created("o1", 2.0)
    desk.filled("o1", 1.0, "t1")
    watched.close()
    again = Watched(home, BOT, "main", kind="hummingbot", peer="a test", memory=HummingbotMemory())
    again.open()
    desk = Desk(again)
    desk.filled("o1", 1.0, "t1")
    desk.filled("o1", 1.0, "t2")
    assert fills(told) == [("o1", 1.0, False), ("o1", 1.0, True)]
    again.close()


@pytest.mark.parametrize(
    "more", [{"price": None}, {"amount": 0}, {"amount": -1.0}, {"trade_type": "RANGE"}, {"trading_pair": None}]
)
def test_a_fill_that_lacks_what_a_fill_is_is_not_told(desk: Desk, told: Told, more: dict[str, Any]) -> None:
    assert not desk.filled("o1", **{"amount": 1.0, "trade": "t1", **more})
    assert told() == []
