"""What feeds each family of the bots' metrics, found by folding the golden journal, which holds every event."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from deskwatch.events import EVENTS, BotStopped
from deskwatch.journal import START, Batch
from deskwatch.projections import Projections
from deskwatch.projections.metrics import Metrics
from tests.lines import line_of
from tests.unit.projections.metrics import golden

_STOP = Batch(
    bot="arb-1", writer="main", lines=[line_of(BotStopped(reason="closed"), seq=10**6)], start=START, position=START
)
"""The golden bots' main writers don't stop."""
_State = dict[str, dict[tuple[str, ...], tuple[Any, float]]]


def fold() -> tuple[Metrics, dict[str, set[str]]]:
    """Metrics after the golden journal, and by family the types of the events that moved it.

    A counter is moved by an event that adds to it, a gauge by one that sets it. One that only makes a series begin at 0
    is told where nothing else moves the family.
    """
    projections = Projections(golden.MAX_SERIES)
    metrics = projections.metrics
    gauges = {family.name for family in metrics.families if family.type == "gauge"}
    moved: dict[str, set[str]] = defaultdict(set)
    begun: dict[str, set[str]] = defaultdict(set)
    before = _state(metrics)
    for batch in (*golden.batches(), _STOP):
        projections.apply_batch(batch)
        kind = _type(batch.lines[0])
        after = _state(metrics)
        for name, series in after.items():
            for labels, (value, stamp) in series.items():
                known = before[name].get(labels)
                if known == (value, stamp):
                    continue
                is_more = value != (0 if known is None else known[0])
                (moved if is_more or name in gauges else begun)[name].add(kind)
        before = after
    return metrics, {name: moved.get(name) or begun.get(name, set()) for name in before}


def _type(line: bytes) -> str:
    """A line's type, or "" where it is no event's."""
    try:
        kind = json.loads(line)["type"]
    except (KeyError, TypeError, ValueError):
        return ""
    return kind if kind in EVENTS else ""


def _state(metrics: Metrics) -> _State:
    return {
        family.name: {
            labels: (tuple(cell.value) if isinstance(cell.value, list) else cell.value, cell.stamp)
            for labels, cell in family.cells.items()
        }
        for family in metrics.current()
    }
