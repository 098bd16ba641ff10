"""How full the families are: series of each bot, and the label sets of the bot that has most of a family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deskwatch.projections.metrics import Family, Gauge, Histogram


class Fill:
    """Looks at what the bots' families hold.

    Args:
        families: The families of now; called from a thread.
        limit: Label sets that one family may hold of one bot.
    """

    def __init__(self, families: Callable[[], list[Family[Any]]], limit: int) -> None:
        self._families = families
        self._limit = limit

    def read(self) -> list[Family[Any]]:
        """The families about families."""
        series = Gauge(
            "deskwatch_series",
            "Time series that are held of a bot, a histogram's buckets among them; of none in particular: no bot.",
            ("bot",),
        )
        fullest = Gauge(
            "deskwatch_series_fullest",
            "Label sets of the bot that has most of a family; at the limit, further ones are folded or left out.",
            ("kind",),
        )
        limit = Gauge("deskwatch_series_limit", "Label sets that one family holds of one bot at most.", ())
        limit.set((), self._limit)
        totals: dict[str, int] = {}
        for family in self._families():
            held = family.held()
            width = len(family.buckets) + 3 if isinstance(family, Histogram) else 1
            for bot, count in held.items():
                totals[bot] = totals.get(bot, 0) + count * width
            fullest.set((family.name,), max(held.values(), default=0))
        for bot, total in totals.items():
            series.set((bot,), total)
        return [series, fullest, limit]
