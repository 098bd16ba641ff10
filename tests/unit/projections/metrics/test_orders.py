"""Metrics of orders."""

from __future__ import annotations

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
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.metrics import orders as orders_module
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import Fields, fold, labels_of, samples, value

ORDER: Fields = {"order_id": "o1", "venue": "dex", "symbol": "ETH/USDT", "strategy": "arb"}
SUBMITTED = OrderSubmitted(side="buy", quantity=2.0, **ORDER)
LABELS = {"bot": "arb-1", "strategy": "arb", "venue": "dex", "symbol": "ETH/USDT"}


def filled(final: bool, **more: object) -> OrderFilled:
    return OrderFilled(**{**ORDER, "side": "buy", "quantity": 2.0, "price": 1500.0, "final": final, **more})  # type: ignore[arg-type]  # fields by name


def test_orders_are_counted_by_side_and_never_by_id() -> None:
    metrics = fold(SUBMITTED, SUBMITTED)
    assert value(metrics, "tradebot_orders_submitted_total") == 2
    assert labels_of(metrics, "tradebot_orders_submitted_total") == {**LABELS, "side": "buy"}


def test_an_order_that_was_submitted_shows_its_outcomes_from_zero_on() -> None:
    metrics = fold(SUBMITTED)
    for name in ("orders_filled", "fills"):
        assert value(metrics, f"tradebot_{name}_total", **LABELS, side="buy") == 0
    for name in ("orders_canceled", "orders_expired"):
        assert value(metrics, f"tradebot_{name}_total", **LABELS) == 0


def test_each_fill_counts_and_only_the_final_one_fills_the_order() -> None:
    metrics = fold(SUBMITTED, filled(False), filled(False), filled(True))
    assert value(metrics, "tradebot_fills_total") == 3
    assert value(metrics, "tradebot_orders_filled_total") == 1


def test_failures_cancellations_and_expiries_have_counters_of_their_own() -> None:
    metrics = fold(
        OrderRejected(reason="reverted", **ORDER),
        OrderRejected(reason="timeout", **ORDER),
        OrderRejected(reason="timeout", **ORDER),
        OrderCanceled(**ORDER),
        OrderExpired(**ORDER),
    )
    assert value(metrics, "tradebot_orders_failed_total", reason="timeout") == 2
    assert value(metrics, "tradebot_orders_failed_total", reason="reverted") == 1
    assert value(metrics, "tradebot_orders_canceled_total", **LABELS) == 1
    assert value(metrics, "tradebot_orders_expired_total", **LABELS) == 1


def test_latencies_run_from_the_submission() -> None:
    metrics = fold(
        record_of(OrderSubmitted(side="buy", quantity=1.0, decision_seconds=0.002, **ORDER), ts=START_NS),
        record_of(OrderAcknowledged(**ORDER), ts=START_NS + 200_000_000),
        record_of(filled(False), ts=START_NS + 300_000_000),
        record_of(filled(True), ts=START_NS + 700_000_000),
        record_of(filled(True), ts=START_NS + 900_000_000),
    )
    assert value(metrics, "tradebot_order_acknowledge_seconds_sum") == 0.2
    assert value(metrics, "tradebot_order_latency_seconds_sum") == 0.7
    assert value(metrics, "tradebot_order_latency_seconds_count") == 1
    assert value(metrics, "tradebot_order_latency_seconds_bucket", le="0.5") == 0
    assert value(metrics, "tradebot_order_latency_seconds_bucket", le="1.0") == 1
    assert value(metrics, "tradebot_order_decision_seconds_sum") == 0.002


ENDS = [OrderRejected(reason="r", **ORDER), OrderCanceled(**ORDER), OrderExpired(**ORDER)]


@pytest.mark.parametrize("end", ENDS, ids=type)
def test_an_order_that_ended_otherwise_is_not_timed(end: OrderRejected) -> None:
    metrics = fold(SUBMITTED, end, filled(True))
    assert samples(metrics, "tradebot_order_latency_seconds_count") == []


def test_a_fill_of_an_order_never_submitted_here_counts_and_is_not_timed() -> None:
    metrics = fold(filled(True), OrderAcknowledged(**ORDER))
    assert value(metrics, "tradebot_orders_filled_total") == 1
    assert samples(metrics, "tradebot_order_latency_seconds_count") == []
    assert samples(metrics, "tradebot_order_acknowledge_seconds_count") == []


def test_open_orders_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_module, "MAX_OPEN", 2)
    metrics = fold(*(OrderSubmitted(side="buy", quantity=1.0, **{**ORDER, "order_id": str(n)}) for n in range(3)))
    assert open_orders(metrics) == 2
    fold(*(filled(True, order_id=str(n)) for n in range(3)), into=metrics)
    assert value(metrics, "tradebot_orders_filled_total") == 3
    assert value(metrics, "tradebot_order_latency_seconds_count") == 2


def test_a_later_event_without_a_strategy_counts_for_the_orders_own() -> None:
    """Whoever names the strategy at the submission only still sees its orders fill."""
    metrics = fold(SUBMITTED, filled(True, strategy=None))
    assert value(metrics, "tradebot_orders_filled_total") == 1
    assert labels_of(metrics, "tradebot_orders_filled_total") == {**LABELS, "side": "buy"}


def open_orders(metrics: Metrics) -> float | None:
    return value(metrics, "tradebot_orders_open", **LABELS, side="buy")


@pytest.mark.parametrize("end", [*ENDS, filled(True)], ids=type)
def test_an_order_is_open_from_its_submission_to_its_end(end: Event) -> None:
    metrics = fold(SUBMITTED, OrderSubmitted(side="buy", quantity=1.0, **{**ORDER, "order_id": "o2"}), filled(False))
    assert open_orders(metrics) == 2
    fold(end, end, into=metrics)
    assert open_orders(metrics) == 1


def test_an_order_that_is_submitted_again_under_its_id_is_one_open_order() -> None:
    metrics = fold(SUBMITTED, SUBMITTED, OrderSubmitted(quantity=1.0, **{**ORDER, "side": "sell"}))
    assert open_orders(metrics) == 0
    assert value(metrics, "tradebot_orders_open", side="sell") == 1


def test_an_end_is_counted_where_the_order_was_opened_whatever_it_says() -> None:
    metrics = fold(SUBMITTED, OrderCanceled(**{**ORDER, "symbol": "other", "strategy": None}))
    assert open_orders(metrics) == 0


def test_open_orders_that_were_left_out_for_want_of_room_are_never_fewer_than_none() -> None:
    """Once the others were idle for long there is room, and the end of an order that was not counted is."""
    hours = 2 * 3600 * 10**9
    other = OrderSubmitted(side="buy", quantity=1.0, **{**ORDER, "order_id": "o2", "symbol": "BTC/USDT"})
    end = OrderCanceled(**{**ORDER, "order_id": "o2", "symbol": "BTC/USDT"})
    metrics = fold(SUBMITTED, other, record_of(end, ts=START_NS + hours), into=Metrics(max_series=1))
    assert [one for _, one in samples(metrics, "tradebot_orders_open")] == [0]
