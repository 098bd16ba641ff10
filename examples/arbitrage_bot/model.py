"""A logistic regression that learns from each outcome as it comes: a few weights, no training set, no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PRIOR_COUNT = 20
"""Observations that the first belief about a feature's scale is worth."""


@dataclass
class Score:
    """How good probabilities were, over all that were resolved. Lower is better; always saying 0.5 scores 0.25."""

    count: int = 0
    occurred: int = 0
    brier_sum: float = 0.0
    base_brier_sum: float = 0.0
    log_loss_sum: float = 0.0

    @property
    def base_rate(self) -> float:
        """How often the event has happened; one success and one failure are assumed to begin with."""
        return (self.occurred + 1) / (self.count + 2)

    @property
    def brier(self) -> float:
        """Mean squared error of the probabilities."""
        return self.brier_sum / self.count if self.count else math.nan

    @property
    def base_brier(self) -> float:
        """The same for the forecast that only knows the base rate."""
        return self.base_brier_sum / self.count if self.count else math.nan

    @property
    def log_loss(self) -> float:
        """Mean negative log-likelihood, in nats."""
        return self.log_loss_sum / self.count if self.count else math.nan

    def add(self, probability: float, base_rate: float, *, occurred: bool) -> None:
        """Count one resolved prediction."""
        outcome = float(occurred)
        self.count += 1
        self.occurred += occurred
        self.brier_sum += (probability - outcome) ** 2
        self.base_brier_sum += (base_rate - outcome) ** 2
        given = probability if occurred else 1 - probability
        self.log_loss_sum -= math.log(max(given, 1e-12))


@dataclass(frozen=True)
class Feature:
    """One input of the model, and what is believed of it before anything was seen."""

    name: str
    mean: float
    deviation: float
    """Standard deviation."""
    weight: float
    """Its part in the log-odds, per standard deviation."""


class OnlineLogit:
    """Logistic regression by stochastic gradient descent on features that it normalises as it goes.

    The steps shrink per weight with what that weight has moved before (AdaGrad), and the weights are drawn towards
    what was believed at first. The normalisation begins as if `PRIOR_COUNT` observations had been as believed.

    Attributes:
        seen: Outcomes learned from.
    """

    def __init__(self, features: Sequence[Feature], *, rate: float = 0.12, pull: float = 0.01) -> None:
        self._features = features
        self._rate = rate
        self._pull = pull
        self._weights = [feature.weight for feature in features]
        self._bias = 0.0
        self._squares = [1.0] * (len(features) + 1)
        self._means = [feature.mean for feature in features]
        self._spreads = [PRIOR_COUNT * feature.deviation**2 for feature in features]
        self._count = PRIOR_COUNT
        self.seen = 0

    def probability(self, values: Sequence[float]) -> float:
        """Probability of the event for these raw values, strictly between 0 and 1."""
        score = self._bias + sum(w * x for w, x in zip(self._weights, self._normalised(values), strict=True))
        return 0.01 + 0.98 / (1 + math.exp(-max(-30.0, min(30.0, score))))

    def observe(self, values: Sequence[float]) -> None:
        """Take values into the running mean and deviation (Welford), whether or not their outcome is ever known."""
        self._count += 1
        for index, value in enumerate(values):
            delta = value - self._means[index]
            self._means[index] += delta / self._count
            self._spreads[index] += delta * (value - self._means[index])

    def learn(self, values: Sequence[float], *, occurred: bool) -> None:
        """Move the weights a step towards what happened."""
        self.seen += 1
        error = self.probability(values) - float(occurred)
        normalised = self._normalised(values)
        for index, (value, feature) in enumerate(zip(normalised, self._features, strict=True)):
            gradient = error * value + self._pull * (self._weights[index] - feature.weight)
            self._weights[index] -= self._step(index, gradient)
        self._bias -= self._step(len(normalised), error)

    def _step(self, index: int, gradient: float) -> float:
        self._squares[index] += gradient * gradient
        return self._rate * gradient / math.sqrt(self._squares[index])

    def _normalised(self, values: Sequence[float]) -> list[float]:
        """Values as deviations from their mean, cut at ±3."""
        scaled = []
        for value, mean, spread in zip(values, self._means, self._spreads, strict=True):
            deviation = math.sqrt(spread / self._count)
            scaled.append(max(-3.0, min(3.0, (value - mean) / deviation)) if deviation > 0 else 0.0)
        return scaled
