"""Panels as all dashboards draw them: the same defaults everywhere, and nothing left out that a reader needs.

Each function takes what differs. A threshold is given only where it means something: `None` for none.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, logs, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import loki as loki_query
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LogsDedupStrategy,
    LogsSortOrder,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deskwatch.dashboards.variables import LOKI, PROMETHEUS

Query = tuple[str, str]
"""An expression and its legend."""
Steps = Sequence[tuple[float | None, str]]
"""From which value on (None: the least), and which colour."""

WIDTH = 24
"""Columns of Grafana's grid."""
_REF_IDS = "ABCDEFGH"


def figure(
    panel_id: int, title: str, description: str, query: Query, *, unit: str, span: int = 3, steps: Steps | None = None
) -> stat.Panel:
    """One number, with its course behind it."""
    panel = (
        stat.Panel()
        .id(panel_id)
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .span(span)
        .height(4)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .no_value("none")
        .thresholds(_thresholds(steps))
        .with_target(_promql(query, "A"))
    )
    if steps is None:
        panel.color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("text"))
    return panel


def course(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    span: int = 8,
    steps: Steps | None = None,
    least: float | None = None,
) -> timeseries.Panel:
    """Figures over time, not stacked. `steps` are drawn as dashed lines."""
    panel = (
        timeseries.Panel()
        .id(panel_id)
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .span(span)
        .height(8)
        .line_width(1)
        .fill_opacity(0)
        .show_points(VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        .thresholds(_thresholds(steps))
    )
    if steps is not None:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    if least is not None:
        panel.min(least)
    for query, ref_id in zip(queries, _REF_IDS, strict=False):
        panel.with_target(_promql(query, ref_id))
    return panel


def states(
    panel_id: int, title: str, description: str, query: Query, *, names: dict[int, tuple[str, str]]
) -> statetimeline.Panel:
    """Which state each series was in, and when. `names` gives each value's word and colour."""
    results = {
        str(value): ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(names.items())
    }
    return (
        statetimeline.Panel()
        .id(panel_id)
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit("none")
        .span(WIDTH)
        .height(6)
        .merge_values(True)
        .show_value(VisibilityMode.AUTO)
        .fill_opacity(70)
        .line_width(0)
        .row_height(0.8)
        .mappings([ValueMap(options=results)])
        .thresholds(_thresholds(None))
        .with_target(_promql(query, "A"))
    )


def rows(
    panel_id: int, title: str, description: str, query: Query, *, unit: str, hidden: Sequence[str], span: int = 12
) -> table.Panel:
    """One row for each series, as of now. `hidden` are labels that say nothing to the reader."""
    return (
        table.Panel()
        .id(panel_id)
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .span(span)
        .height(7)
        .no_value("none")
        .thresholds(_thresholds(None))
        .with_target(
            prometheus.Dataquery()
            .datasource(PROMETHEUS)
            .expr(query[0])
            .legend_format(query[1])
            .ref_id("A")
            .instant()
            .format(PromQueryFormat.TABLE)
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="organize", options={"excludeByName": dict.fromkeys(("Time", "__name__", *hidden), True)}
            )
        )
    )


def activity(panel_id: int, title: str, description: str, expr: str) -> logs.Panel:
    """Lines from Loki, newest first; a click opens a line's fields."""
    return (
        logs.Panel()
        .id(panel_id)
        .title(title)
        .description(description)
        .datasource(LOKI)
        .unit("none")
        .span(WIDTH)
        .height(12)
        .show_time(True)
        .show_labels(False)
        .show_common_labels(False)
        .wrap_log_message(False)
        .enable_log_details(True)
        .dedup_strategy(LogsDedupStrategy.NONE)
        .sort_order(LogsSortOrder.DESCENDING)
        .thresholds(_thresholds(None))
        .with_target(loki_query.Dataquery().datasource(LOKI).expr(expr).ref_id("A").query_type("range"))
    )


def _promql(query: Query, ref_id: str) -> prometheus.Dataquery:
    expr, legend = query
    return prometheus.Dataquery().datasource(PROMETHEUS).expr(expr).legend_format(legend).ref_id(ref_id).range()


def _thresholds(steps: Steps | None) -> ThresholdsConfig:
    """The steps given; without any, one plain step in place of Grafana's red from 80."""
    given = steps if steps is not None else ((None, "text"),)
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value=at, color=to) for at, to in given])
