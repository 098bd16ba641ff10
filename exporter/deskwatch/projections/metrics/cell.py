"""One label set's value, and the observations of a histogram that can be looked up."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar

from deskwatch.projections.metrics.label import Labels

Value = TypeVar("Value")


class Cell(Generic[Value]):
    """One label set's value.

    Attributes:
        labels: Its label values.
        value: A number; for a histogram the count of each bucket, then of `+Inf`, then the sum.
        stamp: Time of the newest update, Unix seconds by the bot's clock.
        shown: The value that `text` is of; kept by the exposition.
        text: Its lines as they were shown last.
    """

    __slots__ = ("labels", "shown", "stamp", "text", "value")

    def __init__(self, labels: Labels, value: Value, stamp: float) -> None:
        self.labels = labels
        self.value = value
        self.stamp = stamp
        self.shown: Any = None  # Any: what the exposition tells a value by
        self.text = ""


class Exemplar(NamedTuple):
    """An observation that can be looked up."""

    trace: str
    """W3C trace id, 32 hex digits."""
    value: float
    """What was observed."""
    seconds: float
    """When, Unix seconds."""


Exemplars = dict[Labels, dict[int, Exemplar]]
"""Label values → index of the bucket → the newest of its observations that had a trace."""
