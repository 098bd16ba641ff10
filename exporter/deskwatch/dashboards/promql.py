"""Expressions that panels ask for again and again, so that they are written the same way everywhere.

`where` is a selector's matchers, without braces; empty for series that belong to no bot. `by` are the labels to keep.
"""

from __future__ import annotations

from deskwatch.dashboards.drawing import Query
from deskwatch.dashboards.variables import BOT

INTERVAL = "$__rate_interval"
"""Grafana's window: as long as a step of the panel, and never shorter than four scrapes."""
SHOWN = "$__range"
"""All of the time that the dashboard shows."""


def series(metric: str, where: str = BOT) -> str:
    """A selector."""
    return f"{metric}{{{where}}}" if where else metric


def rate(metric: str, *by: str, where: str = BOT) -> str:
    """How fast a counter grows, per second."""
    return f"{_sum(by)}(rate({series(metric, where)}[{INTERVAL}]))"


def increase(metric: str, *by: str, where: str = BOT, window: str = INTERVAL) -> str:
    """How much a counter grew in a window; for a course, in each step of it."""
    return f"{_sum(by)}(increase({series(metric, where)}[{window}]))"


def grown(metric: str, *by: str, where: str = BOT, window: str = INTERVAL) -> str:
    """The same for what comes seldom, its first time counted too; for counters of bots.

    A counter that comes to be with its first event begins at 1, and `increase` sees no rise: the first error of a kind,
    the only withdrawal would be none. If its bot was known before the window, it was 0 then.
    """
    one = series(metric, where)
    known = f"on (job, instance, bot) {series('tradebot_last_event_timestamp_seconds')} offset {window}"
    before = f"{one} offset {window} <= {one} or {one} * 0 and {known} or min_over_time({one}[{window}])"
    return f"{_sum(by)}({one} - ({before}))"


def quantile(level: float, histogram: str, *by: str, where: str = BOT, window: str = INTERVAL) -> str:
    """What the part `level` (0 to 1) of a histogram's observations stays below; nothing, not NaN, without any.

    `histogram` without `_bucket`.
    """
    grown = "rate" if window == INTERVAL else "increase"
    buckets = f"{grown}({series(f'{histogram}_bucket', where)}[{window}])"
    return f"histogram_quantile({level:g}, sum by ({', '.join(('le', *by))}) ({buckets})) >= 0"


def or_zero(expr: str, like: str) -> str:
    """An expression, and 0 for what only `like` has: a counter that never moved counts as 0, not as unknown."""
    return f"({expr} or ({like}) * 0)"


def or_none(expr: str, like: str, label: str) -> str:
    """An expression; while it has no series, 0 with `none` as its label: nothing of the kind ever happened."""
    return f'{expr} or on () label_replace(sum({like}) * 0, "{label}", "none", "", "")'


def limit(threshold: str, word: str, *, tightest: str = "min") -> Query:
    """The line of a threshold of prometheus/thresholds.yml; where several bots are chosen, the tightest of theirs."""
    return f"{tightest}({series(f'bot:{threshold}:threshold')})", word


def part(some: str, whole: str) -> str:
    """Which part of a whole something is. Nothing where there is no whole; 0 where there is none of it."""
    return f"{or_zero(some, whole)} / (({whole}) > 0)"


def _sum(by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)}) " if by else "sum"
