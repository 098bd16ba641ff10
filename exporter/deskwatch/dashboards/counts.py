"""What happened in a time: in each step of it, or in all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models.common import BigValueGraphMode

from deskwatch.dashboards.drawing import Query, Steps, at_the_end
from deskwatch.dashboards.panels import course, figure


def counts(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    span: int = 8,
    limits: Sequence[Query] = (),
    colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Whole numbers over time, mostly increases in each step.

    Mostly nothing happens, and a single time must be seen: the axis reaches to 1 at least.
    """
    return course(
        panel_id, title, description, queries, unit="short", span=span, limits=limits, least=0, colours=colours
    ).axis_soft_max(1)


def total(
    panel_id: int,
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "short",
    steps: Steps | None = None,
    decimals: int | None = None,
    no_value: str = "none",
) -> stat.Panel:
    """One number that sums up a long time, as of its end. It has no course: that would be a ramp and cost a lot."""
    return (
        figure(panel_id, title, description, query, unit=unit, steps=steps, decimals=decimals, no_value=no_value)
        .graph_mode(BigValueGraphMode.NONE)
        .targets([at_the_end(query, "A")])
    )
