"""Folding events and looking at what came of it."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from deskwatch.events import Event
from deskwatch.exposition import render
from deskwatch.journal import Record
from deskwatch.projections.metrics import Metrics
from tests.lines import record_of


def fold(*events: Event | Record, into: Metrics | None = None) -> Metrics:
    """Metrics after these events, a nanosecond apart, or after records as they are."""
    metrics = into or Metrics()
    for seq, event in enumerate(events, 1):
        metrics.apply(event if isinstance(event, Record) else record_of(event, seq=seq))
    return metrics


def samples(metrics: Metrics, name: str, now: float = 0.0) -> list[tuple[dict[str, str], float]]:
    """All samples of this name, as a Prometheus reads them at a time; at 0 nothing is too old to be shown."""
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(render(metrics.readings(now)).decode())
        for sample in family.samples
        if sample.name == name
    ]


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The one sample of this name that has these labels among its own; None where there is none."""
    found = [each for own, each in samples(metrics, name) if labels.items() <= own.items()]
    assert len(found) <= 1, found
    return found[0] if found else None


def labels_of(metrics: Metrics, name: str) -> dict[str, str]:
    """The labels of the one sample of this name."""
    ((labels, _),) = samples(metrics, name)
    return labels


Fields = dict[str, Any]
"""An event's fields that several tests share."""
