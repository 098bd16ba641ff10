"""Metric families: a name, its labels, and a value for each label set.

A family holds at most so many label sets of one bot (`Guard.max_series`). Beyond, those that were idle for long are
evicted; where there are none, counters and histograms add to one set of that bot whose other labels are all
`__other__`, and gauges leave the new set out. Evicted and folded updates are counted, and so are values that are none:
NaN, infinities, negative amounts, amounts that no bot can mean.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from typing import Any, ClassVar, Generic, NamedTuple

from deskwatch.events import Number
from deskwatch.projections.metrics.buckets import SECONDS
from deskwatch.projections.metrics.cell import Cell, Exemplar, Exemplars, Value
from deskwatch.projections.metrics.guard import Guard
from deskwatch.projections.metrics.label import OTHER, Labels, label

MAX_AMOUNT = 2.0**63
"""What is added at once must be below: a larger amount would leave a counter that no later one can move."""
_UNIT = re.compile(r"_(seconds|bytes|ratio|wei)$")
_TRACE = re.compile(r"[0-9a-f]{32}")


class Reading(NamedTuple):
    """A family as it was at one moment; may be used from any thread."""

    family: Family[Any]
    cells: list[Cell[Any]]
    """The series' cells: their labels, and what the exposition keeps there. Their values have gone on since."""
    values: list[Any]
    """Value of each series."""
    exemplars: Exemplars

    @property
    def keys(self) -> list[Labels]:
        """Label values of each series."""
        return [cell.labels for cell in self.cells]

    @property
    def series(self) -> dict[Labels, Any]:
        """Label values → value."""
        return dict(zip(self.keys, self.values, strict=True))


class Family(Generic[Value]):
    """What all kinds share.

    Attributes:
        name: Without the `_total` of a counter.
        documentation: One sentence, with the unit where the name has none.
        labels: Label names; the first is `bot` wherever there is a bot.
        lifetime: Seconds after its newest update for which a series is shown; None for ever.
        cells: Label values → value.
        reconciles: Whether its figures are held against the journal: then no label set is ever evicted, and a scrape
            reads it at the moment it begins.
    """

    type: ClassVar[str]
    lifetime: float | None = None
    reconciles = False

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...], guard: Guard | None = None) -> None:
        self.name = name
        self.documentation = documentation
        self.labels = labels
        self.cells: dict[Labels, Cell[Value]] = {}
        self._guard = guard or Guard()
        self._has_bot = labels[:1] == ("bot",)
        self._held: dict[str, set[Labels]] = {}  # by bot: one bot's are looked through without another's
        self._scanned: dict[str, float] = {}

    @property
    def unit(self) -> str:
        """The unit in the name: `seconds`, `bytes`, `ratio`, `wei` or none."""
        found = _UNIT.search(self.name)
        return found[1] if found else ""

    @property
    def series(self) -> dict[Labels, Value]:
        """Label values → value, of now."""
        return {labels: self._copy(cell.value) for labels, cell in self.cells.items()}

    def read(self, now: float) -> Reading:
        """The series that are shown at a Unix time."""
        cells = list(self.cells.values())
        if self.lifetime is not None:
            oldest = now - self.lifetime
            cells = [cell for cell in cells if cell.stamp > oldest]
        return Reading(self, cells, self._values(cells), self._exemplars())

    def held(self) -> dict[str, int]:
        """Bot → label sets that are held of it; no name where the family has no bot. May be asked from any thread."""
        return {bot: len(held) for bot, held in self._held.copy().items()}

    def dump(self) -> list[list[Any]]:
        """The series as JSON-able rows, for the checkpoint: label values, value, time of the newest update."""
        return [[list(labels), cell.value, cell.stamp] for labels, cell in self.cells.items()]

    def load(self, rows: list[list[Any]]) -> None:
        """Take the series back from a checkpoint."""
        self.cells = {
            tuple(labels): Cell(tuple(labels), value, stamp[0] if stamp else 0.0) for labels, value, *stamp in rows
        }
        self._held = {}
        for labels in self.cells:
            if OTHER not in labels:
                self._held.setdefault(self._bot(labels), set()).add(labels)

    def fits(self, row: Any) -> bool:  # Any: another version's checkpoint
        """Whether a dumped row could be one of this family's. Those of format 4 have no time."""
        return (
            isinstance(row, list)
            and len(row) in (2, 3)
            and isinstance(row[0], list)
            and len(row[0]) == len(self.labels)
            and all(isinstance(each, str) for each in row[0])
            and self._fits_value(row[1])
            and all(isinstance(stamp, int | float) for stamp in row[2:])
        )

    def remove(self, labels: Labels) -> None:
        """Forget a label set."""
        if self.cells.pop(labels, None) is not None and OTHER not in labels:
            self._held[self._bot(labels)].discard(labels)

    def refuse(self, labels: Labels, reason: str) -> None:
        """Count a value that was not taken."""
        self._guard.refuse(self._bot(labels), self.name, reason)

    def _values(self, cells: list[Cell[Value]]) -> list[Value]:
        return [cell.value for cell in cells]

    def _exemplars(self) -> Exemplars:
        return {}

    def _copy(self, value: Value) -> Value:
        return value

    def _fits_value(self, value: object) -> bool:
        return isinstance(value, int | float)

    def _bot(self, labels: Labels) -> str:
        return labels[0] if self._has_bot else ""

    def _has_room(self, labels: Labels) -> bool:
        """Whether one more label set may be held; room is made where others were idle for long."""
        bot = self._bot(labels)
        held = self._held.setdefault(bot, set())
        if len(held) >= self._guard.max_series and not self._evict(bot, held):
            self._guard.fold(self.name)
            return False
        held.add(labels)
        return True

    def _evict(self, bot: str, held: set[Labels]) -> bool:
        """Forget a bot's label sets that were idle for long. All of them are looked at once in a while only."""
        seconds = self._guard.seconds
        if self.reconciles or abs(seconds - self._scanned.get(bot, -math.inf)) < self._guard.scan_seconds:
            return False
        self._scanned[bot] = seconds
        oldest = seconds - self._guard.idle_seconds
        idle = [labels for labels in held if self.cells[labels].stamp < oldest]
        for labels in idle:
            self.remove(labels)
            self._guard.evict(self.name)
        return bool(idle)

    def _other(self, labels: Labels) -> Labels:
        """The set that takes what finds no room."""
        others = (OTHER,) * len(labels)
        return (labels[0], *others[1:]) if self._has_bot else others


class Counter(Family[float]):
    """A sum that only grows."""

    type = "counter"

    def inc(self, labels: Labels, amount: Number = 1.0) -> None:
        """Add to a label set. Null adds nothing; what is negative, not finite or too large is refused."""
        if amount is None:
            return
        if not 0 <= amount < MAX_AMOUNT:
            self.refuse(labels, _why(amount))
            return
        cell = self.cells.get(labels) or self._new(labels)
        cell.value += amount
        cell.stamp = self._guard.seconds

    def raise_to(self, labels: Labels, total: float) -> None:
        """Set what is counted elsewhere; a lower total changes nothing."""
        cell = self.cells.get(labels) or self._new(labels)
        cell.value = max(cell.value, float(total))

    def get(self, labels: Labels) -> float:
        """A label set's sum, 0 where there is none."""
        cell = self.cells.get(labels)
        return 0.0 if cell is None else cell.value

    def _new(self, labels: Labels) -> Cell[float]:
        if not self._has_room(labels):
            labels = self._other(labels)
        return self.cells.setdefault(labels, Cell(labels, 0.0, self._guard.seconds))


class Gauge(Family[float]):
    """A value that goes both ways."""

    type = "gauge"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        guard: Guard | None = None,
        lifetime: float | None = None,
    ) -> None:
        super().__init__(name, documentation, labels, guard)
        self.lifetime = lifetime

    def set(self, labels: Labels, value: Number) -> None:
        """Set a label set's value. Null leaves it as it was; what is not finite is refused."""
        if value is None:
            return
        if not math.isfinite(value):
            self.refuse(labels, _why(value))
            return
        cell = self.cells.get(labels)
        if cell is None:
            if not self._has_room(labels):
                return
            self.cells[labels] = Cell(labels, value, self._guard.seconds)
            return
        cell.value = value
        cell.stamp = self._guard.seconds

    def set_ratio(self, labels: Labels, value: Number) -> None:
        """Set a value that must be 0 to 1; another one is refused."""
        if value is not None and not 0 <= value <= 1:
            self.refuse(labels, "out_of_range" if math.isfinite(value) else _why(value))
            return
        self.set(labels, value)

    def set_time(self, labels: Labels) -> None:
        """Set the Unix time of the record that is folded. An absurd one leaves the gauge as it was."""
        if self._guard.is_sane:
            self.set(labels, self._guard.seconds)

    def get(self, labels: Labels, default: float = 0.0) -> float:
        """A label set's value."""
        cell = self.cells.get(labels)
        return default if cell is None else cell.value


class Histogram(Family[list[float]]):
    """Observations counted in buckets. A series is the count of each bucket, then of `+Inf`, then the sum.

    Attributes:
        exemplars: The newest observation of each bucket that had a trace. They are samples: no checkpoint keeps them.
    """

    type = "histogram"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        buckets: tuple[float, ...] = SECONDS,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(name, documentation, labels, guard)
        self.buckets = buckets
        self.exemplars: Exemplars = {}

    def observe(self, labels: Labels, value: Number, trace: str | None = None) -> None:
        """Count one observation. Null is passed over; what is negative, not finite or too large is refused."""
        if value is None:
            return
        if not 0 <= value < MAX_AMOUNT:
            self.refuse(labels, _why(value))
            return
        cell = self.cells.get(labels)
        if cell is None:
            if not self._has_room(labels):
                labels = self._other(labels)
            cell = self.cells.setdefault(labels, Cell(labels, [0.0] * (len(self.buckets) + 2), 0.0))
        index = bisect_left(self.buckets, value)
        cell.value[index] += 1
        cell.value[-1] += value
        cell.stamp = self._guard.seconds
        if trace is not None and _TRACE.fullmatch(trace):
            exemplar = Exemplar(trace, value, self._guard.seconds)
            self.exemplars[labels] = {**self.exemplars.get(labels, {}), index: exemplar}  # anew: readings share it

    def remove(self, labels: Labels) -> None:
        """Forget a label set."""
        super().remove(labels)
        self.exemplars.pop(labels, None)

    def _values(self, cells: list[Cell[list[float]]]) -> list[list[float]]:
        return [cell.value.copy() for cell in cells]

    def _exemplars(self) -> Exemplars:
        return self.exemplars.copy()

    def _copy(self, value: list[float]) -> list[float]:
        return value.copy()

    def _fits_value(self, value: object) -> bool:
        length = len(self.buckets) + 2
        return isinstance(value, list) and len(value) == length and all(isinstance(one, int | float) for one in value)


def _why(value: float) -> str:
    if not math.isfinite(value):
        return "not_finite"
    return "negative" if value < 0 else "too_large"


__all__ = ["SECONDS", "Cell", "Counter", "Exemplar", "Family", "Gauge", "Histogram", "Labels", "Reading", "label"]
