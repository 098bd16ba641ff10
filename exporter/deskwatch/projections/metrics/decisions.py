"""Decisions: what was decided, by whom, how surely, how fast, and at what price."""

from __future__ import annotations

from typing import Any

from deskwatch.events import DecisionMade
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

BY_PROVIDER = ("bot", "strategy", "provider")


class Decisions:
    """A confidence that is not 0 to 1 is refused."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.decisions = registry.counter("tradebot_decisions", "Decisions, by what was decided.", *BY_PROVIDER, "kind")
        self.confidence = registry.gauge(
            "tradebot_decision_confidence_ratio", "Confidence of the newest decision.", *BY_PROVIDER
        )
        self.latency = registry.histogram(
            "tradebot_decision_latency_seconds", "From asking for a decision to having it.", *BY_PROVIDER
        )
        self.tokens = registry.counter(
            "tradebot_decision_tokens", "Tokens that decisions took, prompt or completion.", *BY_PROVIDER, "kind"
        )
        self.cost = registry.counter("tradebot_decision_cost", "Price of decisions, in `asset`.", *BY_PROVIDER, "asset")
        registry.on(DecisionMade, self._decision)

    def _decision(self, record: Record, event: DecisionMade) -> None:
        key = (record.bot, label(event.strategy), label(event.provider))
        self.decisions.inc((*key, label(event.action)))
        self.confidence.set_ratio(key, event.confidence)
        self.latency.observe(key, event.latency_seconds, event.trace)
        for kind, count in (("prompt", event.prompt_tokens), ("completion", event.completion_tokens)):
            if count is not None:
                self.tokens.inc((*key, kind), count)
        if event.cost is not None:
            self.cost.inc((*key, label(event.cost_asset)), event.cost)
