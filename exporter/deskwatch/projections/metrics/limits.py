"""What the limits of all families turned away.

`deskwatch_refused_values_total` has the family in `kind` (`ts` for a record's own time) and these reasons: `negative`,
`not_finite`, `not_a_number` (wei that are no digits), `too_large`, `out_of_range` (a ratio that is not 0 to 1),
`absurd` (a time before 2020 or after 2100).
"""

from __future__ import annotations

from deskwatch.projections.metrics.family import Counter
from deskwatch.projections.metrics.registry import Registry


class Limits:
    """Shows what the guard counted. These families are not guarded themselves: their label sets are few."""

    def __init__(self, registry: Registry) -> None:
        self._guard = registry.guard
        self.folded = Counter("deskwatch_series_folded", "Updates that found their family full.", ("kind",))
        self.evicted = Counter("deskwatch_series_evicted", "Idle label sets that made room for others.", ("kind",))
        self.refused = Counter(
            "deskwatch_refused_values", "Values from bots that were not taken.", ("bot", "kind", "reason")
        )
        registry.families += [self.folded, self.evicted, self.refused]

    def count(self) -> None:
        """Bring the counters up to date. Called before they are shown or kept."""
        for family, count in self._guard.folded.items():
            self.folded.raise_to((family,), count)
        for family, count in self._guard.evicted.items():
            self.evicted.raise_to((family,), count)
        for key, count in self._guard.refused.items():
            self.refused.raise_to(key, count)

    def load(self) -> None:
        """Go on from what a checkpoint said."""
        for (family,), cell in self.folded.cells.items():
            self._guard.folded[family] = int(cell.value)
        for (family,), cell in self.evicted.cells.items():
            self._guard.evicted[family] = int(cell.value)
        for (bot, family, reason), cell in self.refused.cells.items():
            self._guard.refused[bot, family, reason] = int(cell.value)
