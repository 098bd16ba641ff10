"""Closing positions and canceling orders, seen through."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from deskwatch.sources.freqtrade import exits
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import Unreachable
from deskwatch.sources.freqtrade.trader import OpenOrder, OpenTrade, Trader, open_trades_of
from tests.unit.sources.freqtrade.desk import Desk
from tests.unit.sources.freqtrade.stand_in import StandIn, declined


def forced(freqtrade: StandIn) -> list[str]:
    """What it was asked to close."""
    return [each.removeprefix("POST forceexit ") for each in freqtrade.asked if each.startswith("POST forceexit")]


async def test_all_are_closed_by_one_request(desk: Desk, freqtrade: StandIn):
    """And the command is done when none of them is open."""
    for pair in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        freqtrade.open_trade(pair)
    assert await desk.ask("close_all") == {"closed": ["1", "2", "3"]}
    assert forced(freqtrade) == ['{"tradeid":"all"}']


async def test_where_all_fails_each_is_asked_for(desk: Desk, freqtrade: StandIn, monkeypatch):
    """One trade that can't be closed keeps none of the others open: freqtrade ends at the first that fails."""
    for pair in ("BTC/USDT", "ETH/USDT"):
        freqtrade.open_trade(pair)
    was = freqtrade._force_exit

    def fails(body: dict[str, Any]) -> Any:
        if body["tradeid"] in ("all", "1"):
            raise declined("forceexit", "Failed to exit trade.")
        return was(body)

    monkeypatch.setattr(freqtrade, "_force_exit", fails)
    with pytest.raises(AssertionError, match=r"still open: BTC/USDT \(trade 1\): .*Failed to exit trade"):
        await desk.ask("close_all", expires=0.1)
    assert not freqtrade.trades[2]["is_open"]


async def test_nothing_open_is_nothing_to_close(desk: Desk, freqtrade: StandIn):
    """Asking twice does no harm."""
    assert await desk.ask("close_all") == {"closed": []}
    assert forced(freqtrade) == []


async def test_an_exit_order_that_does_not_fill_is_told(desk: Desk, freqtrade: StandIn):
    """It rests, and was asked for once: each time more would take its place in the book from it."""
    freqtrade.fills = False
    freqtrade.open_trade()
    with pytest.raises(AssertionError, match=r"BTC/USDT \(trade 1\): its exit order is not filled yet"):
        await desk.ask("close_all", expires=0.1)
    assert len(forced(freqtrade)) == 1


async def test_a_stopped_freqtrade_closes_nothing_and_that_is_said_at_once(desk: Desk, freqtrade: StandIn):
    """With what to do instead."""
    freqtrade.state = "stopped"
    freqtrade.open_trade()
    with pytest.raises(AssertionError, match="freqtrade is stopped, and closes nothing"):
        await desk.ask("close_all", expires=60)


@pytest.mark.parametrize("params", [{"position_id": "2"}, {"position_id": "2-1795287772688"}, {"symbol": "ETH/USDT"}])
async def test_one_position_is_closed(desk: Desk, freqtrade: StandIn, params):
    """By freqtrade's number of it, or by its pair."""
    for pair in ("BTC/USDT", "ETH/USDT"):
        freqtrade.open_trade(pair)
    assert await desk.ask("close_position", **params) == {"closed": ["2"], "left": {}}
    assert [number for number, trade in freqtrade.trades.items() if trade["is_open"]] == [1]


@pytest.mark.parametrize(("part", "left"), [({"ratio": 0.25}, 0.75), ({"quantity": 0.4}, 0.6)], ids=str)
@pytest.mark.parametrize("is_short", [False, True])
async def test_a_part_is_closed(desk: Desk, freqtrade: StandIn, part, left, is_short):
    """As much as was asked, and the rest stays."""
    freqtrade.open_trade(is_short=is_short)
    result = await desk.ask("close_position", symbol="BTC/USDT", **part)
    assert result == {"closed": [], "left": {"1": pytest.approx(left)}}
    assert len(forced(freqtrade)) == 1


@pytest.mark.parametrize("part", [{"ratio": 1}, {"quantity": 5.0}], ids=str)
async def test_a_part_that_is_all_closes_it(desk: Desk, freqtrade: StandIn, part):
    """Nothing is left over."""
    freqtrade.open_trade()
    assert (await desk.ask("close_position", position_id="1", **part))["closed"] == ["1"]


async def test_a_part_is_rounded_up_to_what_the_exchange_trades(desk: Desk, freqtrade: StandIn):
    """By itself it rounds down, and less than was asked would be closed."""
    freqtrade.open_trade(amount=0.1003, amount_precision=0.0001, precision_mode=4)
    await desk.ask("close_position", position_id="1", ratio=0.5)
    assert forced(freqtrade) == ['{"tradeid":"1","amount":0.0502}']


async def test_a_part_of_futures_that_was_rounded_down_is_done(desk: Desk, freqtrade: StandIn):
    """Their steps are of contracts, whose size is not told: to go on for the rest would be refused without end."""
    freqtrade.open_trade(amount=0.1003, amount_precision=1.0, precision_mode=4, trading_mode="futures")
    freqtrade.rounds_to = 0.0001
    result = await desk.ask("close_position", position_id="1", ratio=0.5)
    assert result["left"] == {"1": pytest.approx(0.0502)}
    assert len(forced(freqtrade)) == 1


async def test_a_part_of_futures_is_rounded_up_where_that_hardly_matters(desk: Desk, freqtrade: StandIn):
    """It is one contract of many then, whatever its size."""
    freqtrade.open_trade(amount=6.007, amount_precision=0.001, precision_mode=4, trading_mode="futures")
    await desk.ask("close_position", position_id="1", ratio=0.5)
    assert forced(freqtrade) == ['{"tradeid":"1","amount":3.004}']


async def test_a_part_that_leaves_too_little_fails_at_once(desk: Desk, freqtrade: StandIn):
    """In freqtrade's words."""
    freqtrade.open_trade()
    freqtrade.refuses["forceexit"] = (502, '{"error": "Remaining amount of 0.1 would be too small."}', {})
    with pytest.raises(AssertionError, match="too small"):
        await desk.ask("close_position", expires=60, position_id="1", ratio=0.9)


async def test_quantity_is_of_all_positions_of_a_symbol_together(desk: Desk, freqtrade: StandIn):
    """The first is closed, and of the second the rest."""
    freqtrade.open_trade(amount=1.0)
    freqtrade.open_trade(amount=1.0)
    result = await desk.ask("close_position", symbol="BTC/USDT", quantity=1.5)
    assert result == {"closed": ["1"], "left": {"2": pytest.approx(0.5)}}


async def test_an_exit_order_that_rests_already_is_replaced(desk: Desk, freqtrade: StandIn):
    """It was to be closed now."""
    freqtrade.open_trade()
    freqtrade.order(1, "sell", 1.0)
    assert (await desk.ask("close_position", position_id="1"))["closed"] == ["1"]
    assert [order["status"] for order in freqtrade.trades[1]["orders"]] == ["closed", "canceled", "closed"]


async def test_a_request_without_an_answer_is_looked_after_and_not_repeated(
    desk: Desk, freqtrade: StandIn, monkeypatch
):
    """It may have been carried out: a part would be closed twice."""
    freqtrade.fills = False
    freqtrade.open_trade()
    freqtrade.swallows.add("forceexit")
    with pytest.raises(AssertionError, match="its exit order is not filled yet"):
        await desk.ask("close_position", expires=0.1, position_id="1", ratio=0.5)
    assert len(forced(freqtrade)) == 1


@pytest.mark.parametrize(
    ("params", "words"),
    [({"position_id": "9"}, "freqtrade knows no trade 9"), ({"position_id": "x"}, "expected a trade's number")],
)
async def test_a_position_that_never_was_is_an_error(desk: Desk, params, words):
    """Not a success by having nothing to do."""
    with pytest.raises(AssertionError, match=words):
        await desk.ask("close_position", **params)


def test_what_an_exit_order_has_filled_is_not_left(freqtrade: StandIn):
    """It would be closed once more: freqtrade takes it off when it cancels that order for the new one."""
    freqtrade.open_trade(amount=1.0)
    freqtrade.order(1, "sell", 1.0, filled=0.3)
    freqtrade.order(1, "buy", 0.5, filled=0.2)
    (trade,) = open_trades_of([freqtrade.trades[1]])
    assert trade.amount == pytest.approx(0.7)
    assert len(trade.resting) == 2


async def test_a_part_whose_fill_is_not_in_the_amount_yet_is_not_closed_twice(monkeypatch: pytest.MonkeyPatch):
    """It asks for the fee between the two: half of a half would be all of it."""
    clock, asked = [0.0], []

    class Asked(Trader):
        async def force_exit(self, trade: OpenTrade, amount: float | None = None) -> None:
            asked.append(amount)

    whole = OpenTrade(number=1, pair="BTC/USDT", amount=1.0, opened=1, step=0.0, is_of_contracts=False, orders=())
    resting = msgspec.structs.replace(whole, orders=(OpenOrder(id="x", is_exit=True, is_stop=False),))
    monkeypatch.setattr(exits, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    forcing = exits.Forcing(Asked(cast("Client", None)), {whole.key: 0.5})
    for clock[0], trade in ((0.0, whole), (3.0, resting), (6.0, resting), (6.5, whole)):
        await forcing.act([trade])
    assert asked == [0.5]
    clock[0] = 6.0 + exits.AGAIN_SECONDS
    await forcing.act([whole])
    assert asked == [0.5, 0.5]  # it was given up


async def test_a_position_that_was_closed_before_is_closed(desk: Desk, freqtrade: StandIn):
    """Asking twice does no harm."""
    freqtrade.open_trade()
    await desk.ask("close_position", position_id="1")
    assert await desk.ask("close_position", position_id="1") == {
        "closed": [],
        "note": "trade 1 was not open any more",
    }


@pytest.mark.parametrize(("params", "left"), [({}, 0), ({"symbol": "BTC/USDT"}, 1)])
async def test_orders_are_canceled_and_stop_losses_stay(desk: Desk, freqtrade: StandIn, params, left):
    """Of a symbol or all, and each is seen to be gone."""
    for number, pair in enumerate(("BTC/USDT", "ETH/USDT"), start=1):
        freqtrade.open_trade(pair)
        freqtrade.order(number, "sell", 1.0)
    result = await desk.ask("cancel_orders", **params)
    assert len(result["canceled"]) == 2 - left
    assert sum(trade["has_open_orders"] for trade in freqtrade.trades.values()) == left


async def test_a_stopped_freqtrade_cancels_nothing_and_that_is_said(desk: Desk, freqtrade: StandIn):
    """At once."""
    freqtrade.open_trade()
    freqtrade.order(1, "sell", 1.0)
    freqtrade.state = "stopped"
    with pytest.raises(AssertionError, match="cancels nothing"):
        await desk.ask("cancel_orders", expires=60)


@pytest.mark.parametrize(
    "status",
    [
        None, {}, "[]", [None], [{}], [{"trade_id": 1, "pair": "A/B"}],
        [{"trade_id": True, "pair": "A/B", "amount": 1}],
        [{"trade_id": 1, "pair": None, "amount": 1}], [{"trade_id": -1, "pair": "A/B", "amount": 1}],
        [{"trade_id": 1.5, "pair": "A/B", "amount": 1}], [{"trade_id": 1e400, "pair": "A/B", "amount": 1}],
    ],
    ids=str,
)  # fmt: skip
def test_trades_that_make_no_sense_are_never_taken_for_none(status):
    """What can't be read might be open: it counts as no answer."""
    with pytest.raises(Unreachable):
        open_trades_of(status)


def test_of_a_trade_odd_orders_and_precisions_are_passed_over():
    """They decide nothing."""
    orders = [None, 7, {"is_open": "yes"}, {"is_open": True, "order_id": 5, "ft_order_side": ["sell"]}]
    odd = {"trade_id": 1, "pair": "A\nB", "amount": 1.0, "orders": orders, "amount_precision": "x"}
    (trade,) = open_trades_of([odd])
    assert (trade.pair, trade.step, len(trade.orders)) == ("A B", 0.0, 1)
    assert not trade.orders[0].is_exit
