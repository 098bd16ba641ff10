"""Metrics of opportunities."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import DecisionMade, OpportunityFound, OpportunityMissed, OrderSubmitted
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.metrics import opportunities as opportunities_module
from tests.lines import record_of
from tests.unit.projections.folding import fold, samples, value


def found(opportunity_id: str = "o", **more: Any) -> OpportunityFound:
    fields = {"strategy": "s", "symbol": "ETH", "spread_ratio": 0.01, "expected_profit": 1.5, "asset": "USDT"}
    return OpportunityFound(**{"opportunity_id": opportunity_id, **fields, **more})


def decided(cause: str | None = "o", decision_id: str = "d") -> DecisionMade:
    return DecisionMade(decision_id=decision_id, action="buy", provider="rules", cause=cause)


def ordered(cause: str | None = "d") -> OrderSubmitted:
    return OrderSubmitted(order_id="x", venue="v", symbol="ETH", side="buy", quantity=1.0, cause=cause)


MISSED = OpportunityMissed(opportunity_id="o", strategy="s", symbol="ETH", reason="gone")


def taken(metrics: Metrics) -> float | None:
    return value(metrics, "tradebot_opportunities_taken_total", bot="arb-1", strategy="s", symbol="ETH")


def test_opportunities_are_counted_with_the_reasons_for_missing_them() -> None:
    metrics = fold(found(), found("p"), MISSED)
    assert value(metrics, "tradebot_opportunities_found_total", strategy="s", symbol="ETH") == 2
    assert value(metrics, "tradebot_opportunities_missed_total", reason="gone") == 1
    assert taken(metrics) == 0


@pytest.mark.parametrize("road", [[ordered("o")], [decided(), ordered()], [decided(), ordered("o"), ordered()]])
def test_an_order_takes_the_opportunity_that_it_leads_back_to_once(road: list[Any]) -> None:
    metrics = fold(found(), *road)
    assert taken(metrics) == 1
    fold(ordered("o"), ordered(), into=metrics)
    assert taken(metrics) == 1


@pytest.mark.parametrize(
    "road", [[ordered(None)], [ordered("other")], [decided(None), ordered()], [MISSED, ordered("o")]]
)
def test_an_order_that_leads_back_to_no_open_opportunity_takes_none(road: list[Any]) -> None:
    assert taken(fold(found(), *road)) == 0


def test_another_bots_order_takes_nothing() -> None:
    assert taken(fold(found(), record_of(ordered("o"), bot="arb-2"))) == 0


def test_expected_profit_is_summed_where_there_is_any_and_the_newest_spread_is_shown() -> None:
    metrics = fold(found(), found("p", expected_profit=-3.0, spread_ratio=0.02), found("q", expected_profit=None))
    assert value(metrics, "tradebot_opportunities_expected_profit_total", asset="USDT") == 1.5
    assert value(metrics, "tradebot_opportunity_spread_ratio", symbol="ETH") == 0.01


def test_opportunities_and_decisions_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opportunities_module, "MAX_OPEN", 2)
    metrics = fold(found("a"), found("b"), found("c"), *(decided("c", str(number)) for number in range(5)))
    assert {name: len(known) for name, known in metrics.dump()["memory"]["Opportunities"]["arb-1"].items()} == {
        "open": 2,
        "decisions": 2,
    }
    fold(decided("gone", "newest"), into=metrics)  # is none of theirs, and takes no room
    assert taken(fold(ordered("a"), into=metrics)) == 0
    assert taken(fold(ordered("3"), into=metrics)) == 1


def test_an_opportunity_after_none_shows_nothing() -> None:
    assert samples(fold(decided(), ordered(), MISSED), "tradebot_opportunities_taken_total") == []
