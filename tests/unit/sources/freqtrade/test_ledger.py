"""What the ledger tells in single cases: history, ids that come again, answers that make no sense."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from deskwatch import events as ev
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.ledger import NEWEST, PAGE, Ledger
from deskwatch.sources.freqtrade.memory import DELETED
from deskwatch.sources.freqtrade.reading import Unreadable
from deskwatch.sources.watched import Watched
from tests.unit.sources.freqtrade.model import START, Model
from tests.unit.sources.freqtrade.telling import Telling

PAIR = "BTC/USDT:USDT"


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def telling() -> Telling:
    return Telling()


@pytest.fixture
def ledger(model: Model, telling: Telling) -> Ledger:
    return Ledger(cast("Client", model), cast("Watched", telling), telling.memory)  # both are stand-ins


def round_trip(model: Model) -> int:
    """A trade that was opened and closed."""
    number = model.enter(PAIR, 1.0)
    model.fill(number)
    model.leave(number, 1.0)
    model.fill(number)
    return number


@pytest.mark.parametrize("knows_order", [True, False])
@pytest.mark.parametrize("trades", [3, NEWEST, NEWEST + 1, PAGE + 20])
def test_the_whole_history_is_told_with_when_it_happened(
    ledger: Ledger, model: Model, telling: Telling, trades: int, knows_order: bool
) -> None:
    model.knows_order = knows_order
    numbers = [round_trip(model) for _ in range(trades)]
    asyncio.run(ledger.catch_up())
    closed = telling.of(ev.PositionClosed)
    assert [event.position_id for event in closed] == [str(number) for number in numbers]
    assert all(START < (event.happened_timestamp_seconds or 0) <= model.now for event in closed)
    assert all(event.happened_timestamp_seconds for event in telling.of(ev.OrderSubmitted))
    assert telling.memory.closed == [[numbers[0], numbers[-1]]]
    pages = len(model.asked)
    asyncio.run(ledger.catch_up())
    assert len(telling.of(ev.PositionClosed)) == trades
    assert len(model.asked) == pages + 1


def test_a_trade_that_closes_costs_two_requests(ledger: Ledger, model: Model, telling: Telling) -> None:
    for _ in range(NEWEST + 5):
        round_trip(model)
    number = model.enter(PAIR, 1.0)
    model.fill(number)
    asyncio.run(ledger.catch_up())
    asyncio.run(ledger.look())
    model.leave(number, 1.0)
    model.fill(number)
    model.asked.clear()
    asyncio.run(ledger.look())
    assert model.asked == ["status", "trades"]
    assert telling.of(ev.PositionClosed)[-1].position_id == str(number)


def test_a_position_that_a_person_deleted_is_closed_without_a_profit_and_told_in_words(
    ledger: Ledger, model: Model, telling: Telling
) -> None:
    number = model.enter(PAIR, 1.0)
    model.fill(number)
    model.leave(number, 1.0)
    asyncio.run(ledger.look())
    model.delete(number)
    asyncio.run(ledger.look())
    closed = telling.of(ev.PositionClosed)
    assert [(event.realized_pnl, event.reason) for event in closed] == [(None, DELETED)]
    assert [event.reason for event in telling.of(ev.OrderCanceled)] == [DELETED]
    assert "trade 1 (BTC/USDT:USDT)" in telling.of(ev.LogRecorded)[0].message


def test_another_trade_under_a_deleted_positions_id_is_a_position_of_its_own(
    ledger: Ledger, model: Model, telling: Telling
) -> None:
    for _ in range(2):
        number = model.enter(PAIR, 1.0)
        model.fill(number)
        asyncio.run(ledger.look())
        model.delete(number)
    number = model.enter(PAIR, 3.0)
    model.fill(number)
    asyncio.run(ledger.look())
    assert [event.quantity for event in telling.of(ev.PositionOpened)] == [1.0, 1.0, 3.0]
    assert [event.reason for event in telling.of(ev.PositionClosed)] == [DELETED, DELETED]


def test_a_trade_under_the_id_of_a_deleted_closed_one_is_told(ledger: Ledger, model: Model, telling: Telling) -> None:
    model.delete(_told(ledger, model, round_trip(model)))
    model.fill(model.enter(PAIR, 2.0))
    asyncio.run(ledger.look())
    assert [event.quantity for event in telling.of(ev.PositionOpened)] == [1.0, 2.0]
    assert telling.memory.closed == []
    assert "1 closed trades no longer (1)" in telling.of(ev.LogRecorded)[0].message


def test_a_trade_that_is_deleted_while_the_pages_are_read_takes_no_other_with_it(
    ledger: Ledger, model: Model, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of the next page moves onto the one that was read."""
    numbers = [round_trip(model) for _ in range(PAGE + 20)]
    asyncio.run(ledger.catch_up())
    model.delete(numbers[-1])
    get = model.get

    async def deleting(path: str, **params: Any) -> Any:
        answer = await get(path, **params)
        if path == "trades" and params["limit"] == PAGE:
            model.trades.pop(numbers[0], None)
        return answer

    monkeypatch.setattr(model, "get", deleting)
    asyncio.run(ledger.catch_up())
    asyncio.run(ledger.catch_up())
    assert telling.memory.closed == [[numbers[1], numbers[-2]]]
    assert len(telling.of(ev.PositionClosed)) == PAGE + 20


def test_a_profit_that_does_not_agree_is_looked_into_once(ledger: Ledger, model: Model, telling: Telling) -> None:
    _told(ledger, model, round_trip(model))
    wrong = model.profit() | {"profit_closed_coin": 5.0}
    ledger.check(model.profit())
    assert not ledger.is_behind
    ledger.check(wrong)
    assert ledger.is_behind
    asyncio.run(ledger.mend())
    ledger.check(wrong)
    assert not ledger.is_behind
    assert telling.of(ev.LogRecorded) == []


def test_what_entries_wait_for_is_known(ledger: Ledger, model: Model) -> None:
    number = model.enter(PAIR, 1.0)
    asyncio.run(ledger.look())
    assert [(each.adds, each.stake, each.rest) for each in ledger.waiting] == [(False, 50.0, 50.0)]  # leverage of 2
    model.fill(number)
    model.enter(PAIR, 2.0, trade=number)
    asyncio.run(ledger.look())
    assert [(each.adds, each.stake, each.rest) for each in ledger.waiting] == [(True, 100.0, 100.0)]
    assert ledger.filling == {}
    changed = ledger.changed
    asyncio.run(ledger.look())
    assert ledger.changed == changed
    model.fill(number, 0.25)
    asyncio.run(ledger.look())
    assert [(each.stake, each.rest) for each in ledger.waiting] == [(100.0, 75.0)]
    assert ledger.filling == {"BTC": 0.5}
    assert ledger.changed > changed


def test_why_an_order_was_canceled_is_told_as_the_stream_had_it(ledger: Ledger, model: Model, telling: Telling) -> None:
    number = model.enter(PAIR, 1.0)
    asyncio.run(ledger.look())
    model.cancel(number)
    ledger.reasons[str(number)] = "cancelled due to timeout"
    asyncio.run(ledger.look())
    assert [event.reason for event in telling.of(ev.OrderCanceled)] == ["cancelled due to timeout"]


HOSTILE: list[Any] = [
    None, 1, "x", [], {}, {"trade_id": None}, {"trade_id": True, "pair": "A/B", "is_open": True},
    {"trade_id": 10**400}, {"trade_id": -1}, {"trade_id": 7, "pair": "\x00\x1b[2J", "is_open": "yes"},
]  # fmt: skip


def test_trades_that_make_no_sense_are_told_once_and_close_nothing(
    ledger: Ledger, model: Model, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = model.enter(PAIR, 1.0)
    model.fill(number)
    asyncio.run(ledger.look())

    async def get(path: str, **_: Any) -> Any:
        return HOSTILE if path == "status" else {"trades": HOSTILE, "total_trades": 3}

    monkeypatch.setattr(model, "get", get)
    for _ in range(3):
        asyncio.run(ledger.look())
        asyncio.run(ledger.catch_up())
    assert telling.of(ev.PositionClosed) == []
    said = [event.message for event in telling.of(ev.LogRecorded)]
    assert len(said) == len(set(said)) > 0
    assert telling.health.failures["garbage"] == len(said)


@pytest.mark.parametrize("answer", [None, 3, "x", {}, {"trades": None}, {"trades": [], "total_trades": "many"}])
def test_an_answer_that_is_none_is_refused(
    ledger: Ledger, model: Model, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    async def get(path: str, **_: Any) -> Any:
        return answer

    monkeypatch.setattr(model, "get", get)
    with pytest.raises(Unreadable, match=r"^expected"):
        asyncio.run(ledger.look())
    with pytest.raises(Unreadable, match=r"^expected"):
        asyncio.run(ledger.catch_up())


def _told(ledger: Ledger, model: Model, number: int) -> int:
    asyncio.run(ledger.catch_up())
    assert not model.trades[number]["is_open"]
    return number
