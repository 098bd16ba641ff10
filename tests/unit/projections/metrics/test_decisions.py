"""Metrics of decisions."""

from __future__ import annotations

from deskwatch.events import DecisionMade
from tests.unit.projections.folding import fold, samples, value


def test_decisions_are_counted_by_provider_and_action() -> None:
    metrics = fold(
        DecisionMade(
            decision_id="d",
            action="buy",
            provider="gpt",
            confidence=0.8,
            latency_seconds=0.3,
            prompt_tokens=100,
            completion_tokens=7,
            cost=0.02,
            cost_asset="USD",
        ),
        DecisionMade(decision_id="e", action="skip", provider="gpt"),
        DecisionMade(decision_id="f", action="skip", provider="rules"),
    )
    assert value(metrics, "tradebot_decisions_total", provider="gpt", kind="buy") == 1
    assert value(metrics, "tradebot_decisions_total", provider="gpt", kind="skip") == 1
    assert value(metrics, "tradebot_decision_confidence_ratio", provider="gpt") == 0.8
    assert value(metrics, "tradebot_decision_latency_seconds_sum", provider="gpt") == 0.3
    assert value(metrics, "tradebot_decision_tokens_total", kind="prompt") == 100
    assert value(metrics, "tradebot_decision_tokens_total", kind="completion") == 7
    assert value(metrics, "tradebot_decision_cost_total", asset="USD") == 0.02


def test_a_confidence_beyond_all_is_refused() -> None:
    metrics = fold(*(DecisionMade(decision_id="d", action="a", provider="p", confidence=one) for one in (1.5, -0.1)))
    assert samples(metrics, "tradebot_decision_confidence_ratio") == []
    assert value(metrics, "deskwatch_refused_values_total", reason="out_of_range") == 2


def test_tokens_and_a_price_below_zero_are_refused() -> None:
    metrics = fold(DecisionMade(decision_id="d", action="a", provider="p", prompt_tokens=-1, cost=-1.0))
    assert samples(metrics, "tradebot_decision_tokens_total") == samples(metrics, "tradebot_decision_cost_total") == []
    assert sum(one for _, one in samples(metrics, "deskwatch_refused_values_total")) == 2
