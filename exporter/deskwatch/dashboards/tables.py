"""Tables as of the end of the time range: series as rows, and several figures of one thing as one row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from deskwatch.dashboards.drawing import REF_IDS, Names, Query, Steps, at_the_end, described, known, named

_COMPANION = "Z"
"""A query that always has an answer, for the names of the others' values."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """A figure in a table: the expression must give one series for each row."""

    title: str
    expr: str
    unit: str = "none"
    decimals: int | None = None
    steps: Steps | None = None
    """Colours of the cell, where they mean something."""
    names: Names | None = None
    """Words in place of values, with the cell's colour."""
    width: int | None = None
    """In pixels."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Label:
    """A label in a table."""

    title: str
    link: DashboardLink | None = None
    """Where a click leads; the cell's text is `links.OF_CELL`."""
    width: int | None = None


def rows(
    panel_id: int,
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    hidden: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    links: Mapping[str, DashboardLink] | None = None,
    span: int = 12,
    height: int = 7,
    no_value: str = "none",
) -> table.Panel:
    """One row for each series. Right for a list of what is there: alerts, positions.

    Args:
        panel_id: Unique on the dashboard.
        title: What is shown.
        description: What it means and what to do about it, in sentences.
        query: Expression and legend.
        unit: Of the value.
        hidden: Labels (or `Value`) that say nothing to the reader.
        renamed: Label (or `Value`) → heading.
        links: Heading → where a click on its cells leads.
        span: Columns.
        height: Rows of the grid.
        no_value: Shown where there are no series.
    """
    panel = (
        described(table.Panel(), panel_id, title, description, unit="none", span=span, height=height, no_value=no_value)
        .with_target(at_the_end(query, "A", table=True))
        .with_transformation(_organized(("Time", "__name__", *hidden), renamed or {}, ()))
    )
    if unit != "none":  # of the value alone: a unit of time makes nonsense of labels
        heading = (renamed or {}).get("Value", "Value")
        panel.override_by_name(heading, [DynamicConfigValue(id_val="unit", value=unit)])
    for heading, link in (links or {}).items():
        panel.override_by_name(heading, [_linked(link)])
    return panel


def joined(
    panel_id: int,
    title: str,
    description: str,
    labels: Mapping[str, Label],
    columns: Sequence[Column],
    *,
    sort_by: str,
    falling: bool = True,
    span: int = 24,
    height: int = 8,
    no_value: str = "none",
) -> table.Panel:
    """One row for each set of labels, with several figures. Right for comparing: bots, positions, venues.

    Args:
        panel_id: Unique on the dashboard.
        title: What is shown.
        description: What it means and what to do about it, in sentences.
        labels: Name of a label → how it is shown, in their order. Expressions must aggregate `by` these, or by some.
        columns: The figures, in their order; a row that lacks one has an empty cell.
        sort_by: Heading of the column that is sorted by.
        falling: Largest first.
        span: Columns of the grid.
        height: Rows of the grid.
        no_value: In empty cells.
    """
    # Grafana calls the values of a lone query plainly `Value`.
    names = [f"Value #{ref_id}" for ref_id, _ in zip(REF_IDS, columns, strict=False)] if len(columns) > 1 else ["Value"]
    values = dict(zip(names, columns, strict=False))
    headings = {name: label.title for name, label in labels.items()}
    headings |= {value: column.title for value, column in values.items()}
    panel = (
        described(table.Panel(), panel_id, title, description, unit="none", span=span, height=height, no_value=no_value)
        .min_width(60)
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(falling)])
        .with_transformation(DataTransformerConfig(id_val="filterByRefId", options={"include": f"/^[^{_COMPANION}]$/"}))
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(_organized(("Time",), headings, tuple(headings)))
    )
    for ref_id, column in zip(REF_IDS, columns, strict=False):
        panel.with_target(at_the_end((column.expr, column.title), ref_id, table=True))
        panel.override_by_name(column.title, _looks(column))
    if len(columns) > 1:
        # Of columns that are empty Grafana is told nothing, and calls a value plainly `Value` where only one has any.
        panel.with_target(at_the_end(("vector(0)", "not shown"), _COMPANION, table=True))
    for label in labels.values():
        looks = [DynamicConfigValue(id_val="custom.width", value=label.width)] if label.width is not None else []
        looks += [_linked(label.link)] if label.link is not None else []
        if looks:
            panel.override_by_name(label.title, looks)
    return panel


def _looks(column: Column) -> list[DynamicConfigValue]:
    looks = [DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.decimals is not None:
        looks.append(DynamicConfigValue(id_val="decimals", value=column.decimals))
    if column.width is not None:
        looks.append(DynamicConfigValue(id_val="custom.width", value=column.width))
    if column.names is not None:
        looks.append(DynamicConfigValue(id_val="mappings", value=[named(column.names)]))
    if column.steps is not None:
        steps = [{"value": at, "color": colour} for at, colour in known(column.steps)]
        looks.append(DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": steps}))
    if column.steps is not None or column.names is not None:
        looks.append(DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    return looks


def _linked(link: DashboardLink) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="links", value=[link.build()])


def _organized(hidden: Sequence[str], headings: Mapping[str, str], order: Sequence[str]) -> DataTransformerConfig:
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(hidden, True),
            "renameByName": dict(headings),
            "indexByName": {name: index for index, name in enumerate(order)},
        },
    )
