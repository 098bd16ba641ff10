"""Predictions: how many, how fast, and how right they were.

A Brier score is the squared error over the predictions that were resolved, a calibration those that occurred over those
resolved, bucket by bucket: PromQL divides. A probability that is not 0 to 1 is refused, and its prediction not scored.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import Number, PredictionMade, PredictionResolved
from deskwatch.journal import Record
from deskwatch.projections.metrics.buckets import ERROR_RATIOS, PROBABILITIES
from deskwatch.projections.metrics.decisions import BY_PROVIDER
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.registry import Registry

_BY_TARGET = (*BY_PROVIDER, "kind")


class Predictions:
    """`kind` is the target: what was predicted."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.predictions = registry.counter("tradebot_predictions", "Predictions made.", *_BY_TARGET)
        self.confidence = registry.gauge(
            "tradebot_prediction_confidence_ratio", "Confidence of the newest prediction.", *_BY_TARGET
        )
        self.latency = registry.histogram(
            "tradebot_prediction_latency_seconds", "From asking for a prediction to having it.", *_BY_TARGET
        )
        self.resolved = registry.counter("tradebot_predictions_resolved", "Yes-or-no predictions scored.", *_BY_TARGET)
        self.occurred = registry.counter(
            "tradebot_predictions_occurred", "Yes-or-no predictions that came true.", *_BY_TARGET
        )
        self.squared_error = registry.counter(
            "tradebot_prediction_squared_error", "Sum of (probability - outcome)²: Brier's numerator.", *_BY_TARGET
        )
        self.base_squared_error = registry.counter(
            "tradebot_prediction_base_squared_error",
            "Sum of (base rate - outcome)², by the rate known at the time: what a provider must beat.",
            *_BY_TARGET,
        )
        self.probability = registry.histogram(
            "tradebot_prediction_resolved_probability_ratio",
            "Probabilities given of what was resolved.",
            *_BY_TARGET,
            buckets=PROBABILITIES,
        )
        self.probability_occurred = registry.histogram(
            "tradebot_prediction_occurred_probability_ratio",
            "Probabilities given of what came true: over those resolved, the calibration.",
            *_BY_TARGET,
            buckets=PROBABILITIES,
        )
        self.error = registry.histogram(
            "tradebot_prediction_error_ratio",
            "How far predicted values were from the ones seen, as a part of these.",
            *_BY_TARGET,
            buckets=ERROR_RATIOS,
        )
        registry.on(PredictionMade, self._made)
        registry.on(PredictionResolved, self._resolved)

    def _made(self, record: Record, event: PredictionMade) -> None:
        key = _labels(record, event)
        if key not in self.predictions.cells:
            self._begin(key)
        self.predictions.inc(key)
        self.confidence.set_ratio(key, event.confidence)
        self.latency.observe(key, event.latency_seconds, event.trace)

    def _resolved(self, record: Record, event: PredictionResolved) -> None:
        key = _labels(record, event)
        self._score(key, event)
        value, actual = event.value, event.actual
        if value is None or actual is None:
            return
        if actual == 0 and value != 0:
            self.error.refuse(key, "out_of_range")  # as a part of nothing
        else:
            self.error.observe(key, abs(value / actual - 1) if actual else 0.0, event.trace)

    def _score(self, key: Labels, event: PredictionResolved) -> None:
        """Count a yes-or-no prediction by the outcome."""
        if event.occurred is None or not self._is_probability(key, event.probability):
            return
        probability = event.probability or 0.0
        outcome = 1.0 if event.occurred else 0.0
        self.resolved.inc(key)
        self.occurred.inc(key, outcome)
        self.squared_error.inc(key, (probability - outcome) ** 2)
        self.probability.observe(key, probability)
        if event.occurred:
            self.probability_occurred.observe(key, probability)
        if self._is_probability(key, event.base_rate):
            self.base_squared_error.inc(key, ((event.base_rate or 0.0) - outcome) ** 2)

    def _is_probability(self, key: Labels, value: Number) -> bool:
        if value is not None and not 0 <= value <= 1:
            self.squared_error.refuse(key, "out_of_range")
            return False
        return value is not None

    def _begin(self, key: Labels) -> None:
        for family in (self.resolved, self.occurred, self.squared_error, self.base_squared_error):
            family.inc(key, 0)


def _labels(record: Record, event: PredictionMade | PredictionResolved) -> Labels:
    return (record.bot, label(event.strategy), label(event.provider), label(event.target))
