"""Risk: the limits that the bot itself watches."""

from __future__ import annotations

from typing import Any

from deskwatch.events import RiskAlertCleared, RiskAlertRaised
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.registry import Registry

_LABELS = ("bot", "kind", "symbol")


class Risk:
    """`kind` is the alert's name. One that is cleared without a symbol is cleared for all of them."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.alert = registry.gauge("tradebot_risk_alert", "1 while the bot's own risk alert is raised.", *_LABELS)
        self.raised = registry.counter(
            "tradebot_risk_alerts_raised", "Times a risk alert of the bot was raised.", *_LABELS
        )
        self.changed = registry.gauge(
            "tradebot_risk_alert_timestamp_seconds",
            "Unix time at which a risk alert was raised or cleared last.",
            *_LABELS,
        )
        registry.on(RiskAlertRaised, self._raised)
        registry.on(RiskAlertCleared, self._cleared)

    def _raised(self, record: Record, event: RiskAlertRaised) -> None:
        key = (record.bot, label(event.alert), label(event.symbol))
        self.alert.set(key, 1.0)
        self.raised.inc(key)
        self.changed.set_time(key)

    def _cleared(self, record: Record, event: RiskAlertCleared) -> None:
        key = (record.bot, label(event.alert), label(event.symbol))
        same: list[Labels] = [key]
        if not key[2]:
            same += [one for one in self.alert.cells if one[:2] == key[:2] and one != key]
        for one in same:
            self.alert.set(one, 0.0)
            self.raised.inc(one, 0)
            self.changed.set_time(one)
