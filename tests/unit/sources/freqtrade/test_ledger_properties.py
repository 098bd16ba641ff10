"""Whatever freqtrade does, and whenever deskwatch looks or begins again: each thing is told once, and sums agree."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.sources.freqtrade import ledger as ledger_module
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.ledger import Ledger
from deskwatch.sources.freqtrade.memory import DELETED
from deskwatch.sources.watched import Watched
from tests.unit.sources.freqtrade.model import Model
from tests.unit.sources.freqtrade.telling import Telling

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
STEPS = ("round_trip", "enter", "fill", "fill_part", "add", "leave", "leave_part", "cancel", "expire", "fund", "delete")
steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 7), st.sampled_from(("", "", "look", "again"))),
    min_size=1,
    max_size=60,
)


@pytest.fixture(autouse=True, scope="module")
def _small_pages() -> Iterator[None]:
    """So that few trades are many pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_module, "NEWEST", 2)
        patch.setattr(ledger_module, "PAGE", 3)
        patch.setattr(ledger_module, "AGAIN_SECONDS", 0.0)
        yield


class Run:
    """freqtrade, and a ledger that watches it."""

    def __init__(self, *, knows_order: bool = True) -> None:
        self.model = Model()
        self.model.knows_order = knows_order
        self.telling = Telling()
        self.ledger = self._ledger()
        self.deleted: set[str] = set()
        """Orders of trades that were deleted: what was filled of them since the last look can't be known."""

    def step(self, name: str, which: int) -> None:
        """Do one thing, if it can be done to the trade that `which` points to."""
        model = self.model
        model.price *= 0.9 + which / 35
        opened = [number for number, trade in model.trades.items() if trade["is_open"]]
        if name in ("enter", "round_trip"):
            number = model.enter(PAIRS[which % 3], 1.0 + which, is_short=which % 2 == 1)
            if name == "round_trip":
                model.fill(number)
                model.leave(number, model.held(number))
                model.fill(number)
        elif name == "delete" and model.trades:
            number = max(model.trades) - which % 2
            if number in model.trades:
                self.deleted |= {order["order_id"] for order in model.trades[number]["orders"]}
                was_closed = not model.trades[number]["is_open"]
                model.delete(number)
                if was_closed:  # a trade that takes its id and is closed unseen could not be told from it
                    self.look()
        elif opened:
            self._touch(name, opened[which % len(opened)])

    def _touch(self, name: str, number: int) -> None:
        model = self.model
        held, waits = model.held(number), any(order["is_open"] for order in model.trades[number]["orders"])
        match name:
            case "add" if held and not waits:
                model.enter("", 2.0, trade=number)
            case "leave" | "leave_part" if held and not waits:
                model.leave(number, held if name == "leave" else held / 4)
            case "fill" | "fill_part" if waits:
                model.fill(number, 1.0 if name == "fill" else 0.3)
            case "cancel" | "expire" if waits:
                model.cancel(number, "canceled" if name == "cancel" else "expired")
            case "fund" if held:
                model.fund(number, -0.125)

    def look(self) -> None:
        """As the polls do."""

        async def once() -> None:
            await self.ledger.look()
            self.ledger.check(self.model.profit())
            await self.ledger.mend()
            await self.ledger.look()

        asyncio.run(once())

    def again(self) -> None:
        """The watch ends and begins again."""
        self.telling.begin_again()
        self.ledger = self._ledger()

        async def once() -> None:
            await self.ledger.catch_up()
            await self.ledger.look()
            self.ledger.check(self.model.profit())
            await self.ledger.mend()

        asyncio.run(once())

    def _ledger(self) -> Ledger:
        ledger = Ledger(
            cast("Client", self.model), cast("Watched", self.telling), self.telling.memory
        )  # both are stand-ins
        ledger.venue = "binance"
        return ledger


def check(run: Run) -> None:
    """All that freqtrade has is told, once."""
    model, telling = run.model, run.telling
    fills, worth = defaultdict[str, float](float), defaultdict[str, float](float)
    finals: Counter[str] = Counter()
    for fill in telling.of(ev.OrderFilled):
        fills[fill.order_id] += fill.quantity or 0.0
        worth[fill.order_id] += (fill.quantity or 0.0) * (fill.price or 0.0)
        finals[fill.order_id] += fill.final
    submitted = Counter(event.order_id for event in telling.of(ev.OrderSubmitted))
    assert max(submitted.values(), default=0) <= 1
    ends = Counter(event.order_id for event in telling.of(ev.OrderCanceled))
    ends.update(event.order_id for event in telling.of(ev.OrderExpired))
    orders: dict[str, dict[str, Any]] = {
        order["order_id"]: order for trade in model.trades.values() for order in trade["orders"]
    }
    for key, order in orders.items():
        assert abs(fills[key] - order["filled"]) < 1e-6, key
        assert abs(worth[key] - order["filled"] * order["average"]) < 1e-6 * max(worth[key], 1.0), key
        assert finals[key] == (order["status"] == "closed"), key
        assert ends[key] == (bool(submitted[key]) and order["status"] in ("canceled", "expired")), key
    assert {key for key, quantity in fills.items() if quantity} <= submitted.keys()
    told_open = {
        key for known in telling.memory.trades.values() for key, order in known.orders.items() if order.is_open
    }
    assert told_open == model.open_orders()
    check_positions(run)


def check_positions(run: Run) -> None:
    """Positions and what they made."""
    model, telling = run.model, run.telling
    opened = Counter(event.position_id for event in telling.of(ev.PositionOpened))
    closed = Counter(event.position_id for event in telling.of(ev.PositionClosed))
    for number, trade in model.trades.items():
        key = str(number)
        is_position = any(order["filled"] for order in trade["orders"])
        is_told_open = key in telling.memory.trades and telling.memory.trades[key].is_position
        assert is_told_open == (is_position and trade["is_open"]), key
        assert opened[key] - closed[key] == is_told_open, key
        if trade["is_open"] and trade["amount"] and not any(order["is_open"] for order in trade["orders"]):
            assert abs((telling.memory.trades[key].quantity or 0.0) - trade["amount"]) < 1e-6
        if not trade["is_open"]:
            assert telling.memory.is_closed(key)
    if not run.deleted:
        made = sum(event.realized_pnl or 0.0 for event in telling.of(ev.PositionClosed))
        assert abs(made - model.profit()["profit_closed_coin"]) < 1e-5
        assert all(event.reason != DELETED for event in telling.of(ev.PositionClosed))
        funded = sum(event.amount or 0.0 for event in telling.of(ev.FundingPaid))
        assert abs(funded - sum(trade["funding_fees"] for trade in model.trades.values())) < 1e-6
        assert telling.memory.closed_count == model.profit()["closed_trade_count"]
        assert telling.of(ev.LogRecorded) == []


def test_an_order_that_was_canceled_leaves_nothing_to_ask_for():
    run = Run()
    number = run.model.enter(PAIRS[0], 1.0)
    run.look()
    run.model.cancel(number)
    run.look()
    run.model.asked.clear()
    run.look()
    assert set(run.model.asked) == {"status"}
    assert [event.reason for event in run.telling.of(ev.OrderCanceled)] == ["unfilled"]


@given(steps=steps, knows_order=st.booleans())
def test_whatever_is_missed_is_told_once_and_sums_agree(steps: list[tuple[str, int, str]], knows_order: bool) -> None:
    run = Run(knows_order=knows_order)
    for name, which, then in steps:
        if name == "delete":
            continue
        run.step(name, which)
        if then:
            getattr(run, then)()
    run.look()
    check(run)
    told = len(run.telling.events)
    run.look()
    run.again()
    assert [event for event in run.telling.events[told:] if not isinstance(event, ev.PriceObserved)] == []


@given(steps=steps)
def test_trades_that_a_person_deletes_are_closed_without_an_invented_profit(steps: list[tuple[str, int, str]]) -> None:
    run = Run()
    for name, which, then in steps:
        run.step(name, which)
        if then:
            getattr(run, then)()
    run.look()
    run.again()
    check(run)
    assert run.telling.memory.closed_count == run.model.profit()["closed_trade_count"]
    known = sum(event.realized_pnl or 0.0 for event in run.telling.of(ev.PositionClosed) if event.reason == DELETED)
    assert known == 0.0
