"""Metrics of orders."""

from __future__ import annotations

import pytest

from deskwatch.events import (
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
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


def test_an_order_that_was_submitted_shows_zero_filled_from_the_start() -> None:
    assert value(fold(SUBMITTED), "tradebot_orders_filled_total", side="buy") == 0


def test_each_fill_counts_and_only_the_final_one_fills_the_order() -> None:
    metrics = fold(SUBMITTED, filled(False), filled(False), filled(True))
    assert value(metrics, "tradebot_fills_total") == 3
    assert value(metrics, "tradebot_orders_filled_total") == 1


def test_volume_is_in_the_quote_asset_and_fees_in_their_own() -> None:
    metrics = fold(
        filled(False, asset="USDT", fee=1.5, fee_asset="BNB"), filled(True, asset="USDT", fee=3.0), filled(True)
    )
    assert value(metrics, "tradebot_volume_total", asset="USDT") == 6000
    assert value(metrics, "tradebot_volume_total", asset="") == 3000
    assert value(metrics, "tradebot_fees_total", asset="BNB") == 1.5
    assert value(metrics, "tradebot_fees_total", asset="USDT") == 3.0


@pytest.mark.parametrize("missing", ["price", "quantity"])
def test_a_fill_without_a_figure_counts_and_adds_no_volume(missing: str) -> None:
    metrics = fold(filled(True, **{missing: None}))
    assert value(metrics, "tradebot_fills_total") == 1
    assert samples(metrics, "tradebot_volume_total") == []


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


@pytest.mark.parametrize("end", [OrderRejected(reason="r", **ORDER), OrderCanceled(**ORDER), OrderExpired(**ORDER)])
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
    fold(*(filled(True, order_id=str(n)) for n in range(3)), into=metrics)
    assert value(metrics, "tradebot_orders_filled_total") == 3
    assert value(metrics, "tradebot_order_latency_seconds_count") == 2


def test_a_later_event_without_a_strategy_counts_for_the_orders_own() -> None:
    """Whoever names the strategy at the submission only still sees its orders fill."""
    metrics = fold(SUBMITTED, filled(True, strategy=None))
    assert value(metrics, "tradebot_orders_filled_total") == 1
    assert labels_of(metrics, "tradebot_orders_filled_total") == {**LABELS, "side": "buy"}
