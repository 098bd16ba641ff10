"""Metric families: a name, its labels, and a value for each label set.

A family holds at most `max_series` label sets. Beyond, counters and histograms add to one set whose labels are all
`__other__`, gauges leave the new set out, and both are counted in `folded`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any, ClassVar, Generic, TypeVar

from deskwatch.events import Number

Labels = tuple[str, ...]
"""Label values, in the order of the family's label names. An empty one means that the label is absent."""
Value = TypeVar("Value")

MAX_SERIES = 1000
OTHER = "__other__"
MAX_LABEL_LENGTH = 128


def label(text: str | None) -> str:
    """A label's value from an event's text: nothing for None, and cut to a bounded length."""
    return "" if text is None else text[:MAX_LABEL_LENGTH]


class Family(Generic[Value]):
    """What all kinds share.

    Attributes:
        name: Without the `_total` of a counter.
        documentation: One sentence, with the unit where the name has none.
        labels: Label names.
        series: Label values → value.
        folded: Updates that found the family full.
    """

    type: ClassVar[str]

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...], max_series: int = MAX_SERIES) -> None:
        self.name = name
        self.documentation = documentation
        self.labels = labels
        self.max_series = max_series
        self.series: dict[Labels, Value] = {}
        self.folded = 0

    def dump(self) -> list[list[Any]]:
        """The series as JSON-able rows, for the checkpoint."""
        return [[list(key), value] for key, value in self.series.items()]

    def load(self, rows: list[list[Any]]) -> None:
        """Take the series back from a checkpoint."""
        self.series = {tuple(key): value for key, value in rows}

    def fits(self, row: Any) -> bool:  # Any: another version's checkpoint
        """Whether a dumped row could be one of this family's."""
        return (
            isinstance(row, list)
            and len(row) == 2
            and isinstance(row[0], list)
            and len(row[0]) == len(self.labels)
            and all(isinstance(each, str) for each in row[0])
            and self._fits_value(row[1])
        )

    def _fits_value(self, value: object) -> bool:
        return isinstance(value, int | float)

    def _is_full(self) -> bool:
        return len(self.series) >= self.max_series

    def _other(self) -> Labels:
        return (OTHER,) * len(self.labels)


class Counter(Family[float]):
    """A sum that only grows."""

    type = "counter"

    def inc(self, labels: Labels, amount: Number = 1.0) -> None:
        """Add to a label set. Null, negative and infinite amounts add nothing."""
        if amount is None or not 0 <= amount < math.inf:
            return
        if labels not in self.series and self._is_full():
            self.folded += 1
            labels = self._other()
        total = self.series.get(labels, 0.0) + amount
        if total < math.inf:
            self.series[labels] = total


class Gauge(Family[float]):
    """A value that goes both ways."""

    type = "gauge"

    def set(self, labels: Labels, value: Number) -> None:
        """Set a label set's value. Null leaves it as it was."""
        if value is None or not math.isfinite(value):
            return
        if labels not in self.series and self._is_full():
            self.folded += 1
            return
        self.series[labels] = value

    def remove(self, labels: Labels) -> None:
        """Forget a label set."""
        self.series.pop(labels, None)


class Histogram(Family[list[float]]):
    """Observations counted in buckets. A series is the count of each bucket, then of `+Inf`, then the sum."""

    type = "histogram"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        buckets: tuple[float, ...],
        max_series: int = MAX_SERIES,
    ) -> None:
        super().__init__(name, documentation, labels, max_series)
        self.buckets = buckets

    def _fits_value(self, value: object) -> bool:
        length = len(self.buckets) + 2
        return isinstance(value, list) and len(value) == length and all(isinstance(one, int | float) for one in value)

    def observe(self, labels: Labels, value: Number) -> None:
        """Count one observation. Null and infinite ones are passed over; a clock that stepped back counts as 0."""
        if value is None or not math.isfinite(value):
            return
        value = max(value, 0.0)
        series = self.series.get(labels)
        if series is None:
            if self._is_full():
                self.folded += 1
                labels = self._other()
            series = self.series.setdefault(labels, [0.0] * (len(self.buckets) + 2))
        series[bisect_left(self.buckets, value)] += 1
        if math.isfinite(series[-1] + value):
            series[-1] += value


SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets of latencies, in seconds. The SLO thresholds are among them."""
