"""How often something happened: mostly never, so that a single time must be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import timeseries

from deskwatch.dashboards.drawing import Query
from deskwatch.dashboards.panels import course


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
    """Whole numbers over time, mostly increases in each step. The axis reaches to 1 at least."""
    return course(
        panel_id, title, description, queries, unit="short", span=span, limits=limits, least=0, colours=colours
    ).axis_soft_max(1)
