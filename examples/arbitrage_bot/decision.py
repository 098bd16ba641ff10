"""Whether to take a spread: by a rule while the model is young, then by the model."""

from __future__ import annotations

import time
from dataclasses import dataclass

from arbitrage_bot.config import Rules
from arbitrage_bot.forecast import MODEL, PROVIDER, Forecast
from arbitrage_bot.identity import new_id
from arbitrage_bot.opportunity import Opportunity
from arbitrage_bot.orders import STRATEGY
from deskwatch import DecisionMade, Recorder


@dataclass(frozen=True)
class Decision:
    """What was decided, and why."""

    decision_id: str
    take: bool
    reason: str
    """A short word for leaving it: `unprofitable`, `confidence`; `taken` otherwise."""
    decided_at: float
    """`time.perf_counter()`."""


def decide(
    recorder: Recorder,
    rules: Rules,
    *,
    symbol: str,
    opportunity: Opportunity,
    forecast: Forecast,
    trusted: bool,
    expected_profit: float,
) -> Decision:
    """Decide on a spread and journal it.

    Args:
        recorder: Where to.
        rules: The figures to go by.
        symbol: The pair.
        opportunity: What the spread is part of.
        forecast: What the model thinks of it.
        trusted: Whether the model has learned enough to decide.
        expected_profit: After fees and gas, in whole units of quote.
    """
    started = time.perf_counter()
    likely = forecast.probability >= rules.min_probability
    if expected_profit < rules.min_profit:
        reason = "unprofitable"
        reasoning = f"{expected_profit:.2f} expected after fees and gas, {rules.min_profit:.2f} wanted"
    elif trusted and not likely:
        reason = "confidence"
        reasoning = f"still pays with probability {forecast.probability:.2f}, {rules.min_probability:.2f} wanted"
    else:
        reason = "taken"
        reasoning = (
            f"{expected_profit:.2f} expected after fees and gas; still pays with probability {forecast.probability:.2f}"
        )
    by_model = trusted and reason != "unprofitable"
    decision = Decision(new_id("decision"), reason == "taken", reason, time.perf_counter())
    recorder.emit(
        DecisionMade(
            decision_id=decision.decision_id,
            action="arbitrage" if decision.take else "skip",
            provider=PROVIDER if by_model else "rules",
            strategy=STRATEGY,
            symbol=symbol,
            model=MODEL if by_model else None,
            confidence=forecast.probability if decision.take else 1 - forecast.probability,
            reasoning=reasoning,
            latency_seconds=decision.decided_at - started,
            inputs={
                "spread_ratio": forecast.spread.ratio,
                "expected_profit": expected_profit,
                "probability": forecast.probability,
                "base_rate": forecast.base_rate,
            },
            trace=opportunity.trace,
            cause=opportunity.opportunity_id,
        )
    )
    return decision
