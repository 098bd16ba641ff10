"""What feeds each family of the bots' metrics, found by folding a journal that holds every event."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskwatch.errors import InvalidLine
from deskwatch.events import EVENTS
from deskwatch.journal import names, read
from deskwatch.journal.line import _FROM_SIDECAR
from deskwatch.projections.metrics import Metrics
from tests.lines import BOT

GOLDEN = Path(__file__).parents[1] / "unit" / "projections" / "metrics" / "golden" / "events.ndjson"
"""Every event type, and between them every family."""

_State = dict[str, dict[tuple[str, ...], tuple[Any, float]]]


def fold() -> tuple[Metrics, dict[str, set[str]]]:
    """Metrics after the golden journal, and by family the types of the events that moved it.

    A counter is moved by an event that adds to it, a gauge by one that sets it. One that only makes a series begin at 0
    is told where nothing else moves the family.
    """
    metrics = Metrics()
    moved: dict[str, set[str]] = defaultdict(set)
    begun: dict[str, set[str]] = defaultdict(set)
    before = _state(metrics)
    for kind in _apply_each(metrics):
        after = _state(metrics)
        for name, series in after.items():
            for labels, (value, stamp) in series.items():
                known = before.get(name, {}).get(labels)
                if known == (value, stamp):
                    continue
                is_gauge = _is_gauge(metrics, name)
                if (known is None and value == 0) or (known is not None and known[0] == value and not is_gauge):
                    begun[name].add(kind)
                else:
                    moved[name].add(kind)
        before = after
    return metrics, {name: moved.get(name) or begun.get(name, set()) for name in before}


def _apply_each(metrics: Metrics) -> Iterator[str]:
    """Fold each line; its type, or "" where it is no event."""
    for line in GOLDEN.read_bytes().splitlines():
        try:
            kind = json.loads(line)["type"]
            writer = names.CONTROL if kind in _FROM_SIDECAR else names.MAIN
            metrics.apply(read(line, BOT, writer))
        except (InvalidLine, ValueError):
            metrics.invalid(BOT, names.MAIN, "json")
            kind = ""
        yield kind if kind in EVENTS else ""


def _state(metrics: Metrics) -> _State:
    return {
        family.name: {
            labels: (tuple(cell.value) if isinstance(cell.value, list) else cell.value, cell.stamp)
            for labels, cell in family.cells.items()
        }
        for family in metrics.current()
    }


def _is_gauge(metrics: Metrics, name: str) -> bool:
    return next(family.type for family in metrics.families if family.name == name) == "gauge"
