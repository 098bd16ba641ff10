"""Metrics of predictions and of how right they were."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import PredictionMade, PredictionResolved
from tests.unit.projections.folding import fold, samples, value


def made(**more: Any) -> PredictionMade:
    return PredictionMade(prediction_id="p", provider="m", target="t", **more)


def resolved(probability: float | None, occurred: bool | None, base_rate: float | None = None) -> PredictionResolved:
    return PredictionResolved(
        prediction_id="p", provider="m", target="t", probability=probability, occurred=occurred, base_rate=base_rate
    )


def told(predicted: float | None, actual: float | None) -> PredictionResolved:
    return PredictionResolved(prediction_id="p", provider="m", target="price", value=predicted, actual=actual)


def test_predictions_are_counted_by_provider_and_target_and_score_zero_at_first() -> None:
    metrics = fold(made(probability=0.8, confidence=0.6, latency_seconds=0.2))
    assert value(metrics, "tradebot_predictions_total", provider="m", kind="t") == 1
    assert value(metrics, "tradebot_prediction_confidence_ratio", provider="m") == 0.6
    assert value(metrics, "tradebot_prediction_latency_seconds_sum", provider="m") == 0.2
    for name in ("predictions_resolved", "predictions_occurred", "prediction_squared_error"):
        assert value(metrics, f"tradebot_{name}_total", kind="t") == 0


def test_resolved_predictions_give_the_briers_score_and_its_baseline() -> None:
    metrics = fold(made(), resolved(0.8, True, 0.5), resolved(0.4, False, 0.5), resolved(0.5, False))
    assert value(metrics, "tradebot_predictions_resolved_total") == 3
    assert value(metrics, "tradebot_predictions_occurred_total") == 1
    assert value(metrics, "tradebot_prediction_squared_error_total") == pytest.approx(0.45)
    assert value(metrics, "tradebot_prediction_base_squared_error_total") == 0.5


def test_calibration_is_what_came_true_of_what_was_given_each_probability() -> None:
    metrics = fold(resolved(0.75, True), resolved(0.78, False), resolved(0.1, False), resolved(1.0, True))

    def within(name: str, low: str, high: str) -> float:
        found = [value(metrics, f"tradebot_prediction_{name}_probability_ratio_bucket", le=le) for le in (low, high)]
        return (found[1] or 0.0) - (found[0] or 0.0)

    assert within("resolved", "0.7", "0.8") == 2
    assert within("occurred", "0.7", "0.8") == 1
    assert within("resolved", "0.9", "1.0") == within("occurred", "0.9", "1.0") == 1
    assert value(metrics, "tradebot_prediction_resolved_probability_ratio_bucket", le="0.1") == 1
    assert value(metrics, "tradebot_prediction_occurred_probability_ratio_bucket", le="0.1") == 0


def test_a_prediction_that_cant_be_scored_is_not() -> None:
    assert samples(fold(resolved(None, True), resolved(0.5, None)), "tradebot_predictions_resolved_total") == []


@pytest.mark.parametrize("probability", [1e200, -0.1, 1.1])
def test_what_is_no_probability_is_refused_and_not_scored(probability: float) -> None:
    metrics = fold(resolved(probability, True, 0.5), resolved(0.5, True, probability), made(confidence=probability))
    assert value(metrics, "tradebot_prediction_squared_error_total") == 0.25
    assert value(metrics, "tradebot_predictions_resolved_total") == 1
    assert value(metrics, "tradebot_prediction_base_squared_error_total") == 0
    assert sum(one for _, one in samples(metrics, "deskwatch_refused_values_total")) == 3


@pytest.mark.parametrize(("predicted", "actual", "error"), [(110.0, 100.0, 0.1), (-90.0, -100.0, 0.1), (0.0, 0.0, 0.0)])
def test_the_error_of_a_number_is_a_part_of_what_was_seen(predicted: float, actual: float, error: float) -> None:
    metrics = fold(told(predicted, actual))
    assert value(metrics, "tradebot_prediction_error_ratio_count", kind="price") == 1
    assert value(metrics, "tradebot_prediction_error_ratio_sum") == pytest.approx(error)


@pytest.mark.parametrize(("predicted", "actual"), [(1.0, 0.0), (1e308, 1e-308)])
def test_an_error_that_has_no_size_is_refused(predicted: float, actual: float) -> None:
    metrics = fold(told(predicted, actual))
    assert samples(metrics, "tradebot_prediction_error_ratio_count") == []
    assert value(metrics, "deskwatch_refused_values_total", kind="tradebot_prediction_error_ratio") == 1


def test_a_number_that_is_not_known_has_no_error() -> None:
    assert samples(fold(told(None, 1.0), told(1.0, None)), "tradebot_prediction_error_ratio_count") == []
