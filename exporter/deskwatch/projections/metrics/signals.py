"""Signals that strategies or feeds raised."""

from __future__ import annotations

from typing import Any

from deskwatch.events import SignalRaised
from deskwatch.journal import Record
from deskwatch.projections.metrics.decisions import BY_PROVIDER
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

_LABELS = (*BY_PROVIDER, "symbol", "side", "kind")


class Signals:
    """`kind` is the signal's name. A strength that is not 0 to 1 is refused."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.signals = registry.counter("tradebot_signals", "Signals raised.", *_LABELS)
        self.strength = registry.gauge("tradebot_signal_strength_ratio", "Strength of the newest signal.", *_LABELS)
        registry.on(SignalRaised, self._signal)

    def _signal(self, record: Record, event: SignalRaised) -> None:
        provider = (record.bot, label(event.strategy), label(event.provider))
        key = (*provider, label(event.symbol), label(event.side), label(event.signal))
        self.signals.inc(key)
        self.strength.set_ratio(key, event.strength)
