"""Metrics of decisions, predictions, signals and opportunities."""

from __future__ import annotations

from deskwatch.events import (
    DecisionMade,
    OpportunityFound,
    OpportunityMissed,
    PredictionMade,
    PredictionResolved,
    SignalRaised,
)
from tests.unit.projections.folding import fold, samples, value


def resolved(probability: float | None, occurred: bool | None, base_rate: float | None = None) -> PredictionResolved:
    return PredictionResolved(
        prediction_id="p", provider="m", target="t", probability=probability, occurred=occurred, base_rate=base_rate
    )


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


def test_resolved_predictions_give_the_briers_score_and_its_baseline() -> None:
    made = PredictionMade(prediction_id="p", provider="m", target="t", probability=0.8)
    metrics = fold(made, resolved(0.8, True, 0.5), resolved(0.4, False, 0.5), resolved(0.5, False))
    assert value(metrics, "tradebot_predictions_total", provider="m") == 1
    assert value(metrics, "tradebot_predictions_resolved_total") == 3
    assert value(metrics, "tradebot_predictions_occurred_total") == 1
    error = value(metrics, "tradebot_prediction_squared_error_total")
    assert error is not None
    assert round(error, 9) == 0.45
    assert value(metrics, "tradebot_prediction_base_squared_error_total") == 0.5


def test_a_prediction_that_cant_be_scored_is_not() -> None:
    assert samples(fold(resolved(None, True), resolved(0.5, None)), "tradebot_predictions_resolved_total") == []


def test_a_probability_beyond_all_bounds_hurts_nothing() -> None:
    metrics = fold(resolved(1e200, True, -1e200), resolved(0.5, True))
    assert value(metrics, "tradebot_prediction_squared_error_total") == 0.25


def test_signals_and_opportunities_are_counted_with_their_reasons() -> None:
    metrics = fold(
        SignalRaised(signal="cross", provider="rules", symbol="ETH", side="buy"),
        OpportunityFound(
            opportunity_id="o", strategy="s", symbol="ETH", spread_ratio=0.01, expected_profit=1.0, asset="USDT"
        ),
        OpportunityMissed(opportunity_id="o", strategy="s", symbol="ETH", reason="standby"),
    )
    assert value(metrics, "tradebot_signals_total", provider="rules", symbol="ETH", side="buy") == 1
    assert value(metrics, "tradebot_opportunities_found_total", strategy="s", symbol="ETH") == 1
    assert value(metrics, "tradebot_opportunities_missed_total", reason="standby") == 1
