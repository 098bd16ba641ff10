"""Decisions, predictions, signals and opportunities."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    DecisionMade,
    OpportunityFound,
    OpportunityMissed,
    PredictionMade,
    PredictionResolved,
    SignalRaised,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

_BY_PROVIDER = ("bot", "strategy", "provider")


class Decisions:
    """A Brier score is squared error over resolved predictions: two counters that PromQL divides."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.decisions = registry.counter(
            "tradebot_decisions", "Decisions, by what was decided.", *_BY_PROVIDER, "kind"
        )
        self.confidence = registry.gauge("tradebot_decision_confidence_ratio", "Of the newest decision.", *_BY_PROVIDER)
        self.latency = registry.histogram(
            "tradebot_decision_latency_seconds", "From asking to deciding.", *_BY_PROVIDER
        )
        self.tokens = registry.counter(
            "tradebot_decision_tokens", "Tokens, prompt or completion.", *_BY_PROVIDER, "kind"
        )
        self.cost = registry.counter(
            "tradebot_decision_cost", "Price of the calls, in `asset`.", *_BY_PROVIDER, "asset"
        )
        self.predictions = registry.counter("tradebot_predictions", "Predictions made.", *_BY_PROVIDER)
        self.resolved = registry.counter(
            "tradebot_predictions_resolved", "Yes-or-no predictions scored.", *_BY_PROVIDER
        )
        self.occurred = registry.counter("tradebot_predictions_occurred", "Those that came true.", *_BY_PROVIDER)
        self.squared_error = registry.counter(
            "tradebot_prediction_squared_error", "Sum of (probability - outcome)²: Brier's numerator.", *_BY_PROVIDER
        )
        self.base_squared_error = registry.counter(
            "tradebot_prediction_base_squared_error",
            "The same for the base rate known at the time: what a provider must beat.",
            *_BY_PROVIDER,
        )
        self.signals = registry.counter("tradebot_signals", "Signals raised.", *_BY_PROVIDER, "symbol", "side")
        self.found = registry.counter(
            "tradebot_opportunities_found", "Opportunities seen.", "bot", "strategy", "symbol"
        )
        self.missed = registry.counter(
            "tradebot_opportunities_missed", "Opportunities not taken.", "bot", "strategy", "symbol", "reason"
        )
        registry.on(DecisionMade, self._decision)
        registry.on(PredictionMade, self._prediction)
        registry.on(PredictionResolved, self._resolution)
        registry.on(SignalRaised, self._signal)
        registry.on(OpportunityFound, self._found)
        registry.on(OpportunityMissed, self._missed)

    def _decision(self, record: Record, event: DecisionMade) -> None:
        key = (record.bot, label(event.strategy), label(event.provider))
        self.decisions.inc((*key, label(event.action)))
        self.confidence.set(key, event.confidence)
        self.latency.observe(key, event.latency_seconds, event.trace)
        for kind, count in (("prompt", event.prompt_tokens), ("completion", event.completion_tokens)):
            if count is not None:
                self.tokens.inc((*key, kind), count)
        if event.cost is not None:
            self.cost.inc((*key, label(event.cost_asset)), event.cost)

    def _prediction(self, record: Record, event: PredictionMade) -> None:
        self.predictions.inc((record.bot, label(event.strategy), label(event.provider)))

    def _resolution(self, record: Record, event: PredictionResolved) -> None:
        if event.occurred is None or event.probability is None:
            return
        key = (record.bot, label(event.strategy), label(event.provider))
        outcome = 1.0 if event.occurred else 0.0
        self.resolved.inc(key)
        self.occurred.inc(key, outcome)
        self.squared_error.inc(key, _squared(event.probability - outcome))
        if event.base_rate is not None:
            self.base_squared_error.inc(key, _squared(event.base_rate - outcome))

    def _signal(self, record: Record, event: SignalRaised) -> None:
        key = (record.bot, label(event.strategy), label(event.provider))
        self.signals.inc((*key, label(event.symbol), label(event.side)))

    def _found(self, record: Record, event: OpportunityFound) -> None:
        self.found.inc((record.bot, label(event.strategy), label(event.symbol)))

    def _missed(self, record: Record, event: OpportunityMissed) -> None:
        self.missed.inc((record.bot, label(event.strategy), label(event.symbol), label(event.reason)))


def _squared(error: float) -> float:
    return error * error  # `**` raises where this gives infinity
