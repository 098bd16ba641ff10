"""The panels that most dashboards are made of: a figure, its course, and states over time.

Each function takes what differs and leaves nothing out that a reader needs. A threshold is given only where it means
something: `None` for none. Tables are in `tables`, lines of the journal in `lines`, distributions in `spread`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, statushistory, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, FieldColorModeId

from deskwatch.dashboards.drawing import (
    REF_IDS,
    WIDTH,
    Names,
    Query,
    Steps,
    at_the_end,
    described,
    known,
    named,
    over_time,
)

PLAIN = FieldColor().mode(FieldColorModeId.FIXED).fixed_color("text")


def figure(
    panel_id: int,
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    span: int = 3,
    height: int = 4,
    steps: Steps | None = None,
    decimals: int | None = None,
    names: Names | None = None,
    link: DashboardLink | None = None,
    no_value: str = "none",
    graph: bool = True,
) -> stat.Panel:
    """One number. Right for what is looked at first.

    Args:
        panel_id: Unique on the dashboard.
        title: What is shown.
        description: What it means and what to do about it, in sentences.
        query: Expression and legend. One that names `{{asset}}` is shown with its name: an amount of what?
        unit: Grafana's name of it.
        span: Columns.
        height: Rows of the grid.
        steps: Colours from certain values on; `no_value` is in plain text.
        decimals: Shown.
        names: Words in place of values.
        link: Where a click leads.
        no_value: Shown where there is nothing.
        graph: Draw its course behind it; not where the course says nothing.
    """
    panel = (
        described(
            stat.Panel(),
            panel_id,
            title,
            description,
            unit=unit,
            span=span,
            height=height,
            steps=None if steps is None else known(steps),
            no_value=no_value,
        )
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA if graph and names is None else BigValueGraphMode.NONE)
        .with_target(over_time(query, "A"))
    )
    if names is not None:
        panel.mappings([named(names)])
    elif steps is None:
        panel.color_scheme(PLAIN)
    if decimals is not None:
        panel.decimals(decimals)
    if "{{asset}}" in query[1]:
        panel.text_mode(BigValueTextMode.VALUE_AND_NAME)
    return panel if link is None else panel.data_links([link])


def course(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    span: int = 8,
    height: int = 8,
    steps: Steps | None = None,
    limits: Sequence[Query] = (),
    least: float | None = None,
    most: float | None = None,
    colours: Mapping[str, str] | None = None,
    stacked: bool = False,
    exemplars: bool = False,
    link: DashboardLink | None = None,
) -> timeseries.Panel:
    """Figures over time. Right for anything whose change matters.

    Args:
        panel_id: Unique on the dashboard.
        title: What is shown.
        description: What it means and what to do about it, in sentences.
        queries: Expressions and legends.
        unit: Grafana's name of it.
        span: Columns.
        height: Rows of the grid.
        steps: Fixed values of meaning, drawn as dashed lines.
        limits: Queries of thresholds that are configured, `bot:…:threshold`: dashed lines that the legend leaves out,
            orange where they are a warning's, else red.
        least: Where the axis begins, at the latest.
        most: Where it ends, at the earliest.
        colours: Regular expression over legends → colour, where a colour means something (green good, red bad).
        stacked: Only for parts of one whole.
        exemplars: Show traces of single observations; for queries of a histogram's buckets.
        link: Where a click leads.
    """
    panel = (
        described(timeseries.Panel(), panel_id, title, description, unit=unit, span=span, height=height, steps=steps)
        .line_width(2)
        .fill_opacity(40 if stacked else 0)
        .show_points(VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(plain_legend())
    )
    if steps is not None:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if least is not None:
        panel.min(least)
    if most is not None:
        panel.max(most)
    for query, ref_id in zip((*queries, *limits), REF_IDS, strict=False):
        panel.with_target(over_time(query, ref_id, exemplars=exemplars and query not in limits))
        if query in limits:
            panel.override_by_query(ref_id, _as_limit("orange" if "warn" in " ".join(query) else "red"))
    for pattern, colour in (colours or {}).items():
        panel.override_by_regexp(f"/{pattern}/", [_fixed(colour)])
    return panel if link is None else panel.data_links([link])


def states(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    names: Names,
    span: int = WIDTH,
    height: int = 6,
    link: DashboardLink | None = None,
) -> statetimeline.Panel:
    """Which state each series was in, and when: a bar that changes its colour. Right for modes, which seldom change."""
    panel = (
        described(statetimeline.Panel(), panel_id, title, description, unit="none", span=span, height=height)
        .merge_values(True)
        .show_value(VisibilityMode.AUTO)
        .fill_opacity(70)
        .line_width(0)
        .row_height(0.8)
        .legend(common.VizLegendOptions().show_legend(False))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.NONE))
        .mappings([named(names)])
    )
    for query, ref_id in zip(queries, REF_IDS, strict=False):
        panel.with_target(over_time(query, ref_id))
    return panel if link is None else panel.data_links([link])


def history(
    panel_id: int, title: str, description: str, query: Query, *, names: Names, span: int = 12, height: int = 8
) -> statushistory.Panel:
    """The state of each series at 50 moments, side by side. Right for many series that go up and down together."""
    return (
        described(statushistory.Panel(), panel_id, title, description, unit="none", span=span, height=height)
        .max_data_points(50)
        .show_value(VisibilityMode.NEVER)
        .fill_opacity(70)
        .line_width(0)
        .legend(common.VizLegendOptions().show_legend(False))
        .mappings([named(names)])
        .with_target(over_time(query, "A"))
    )


def bars(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str,
    span: int = 12,
    height: int = 8,
    steps: Steps | None = None,
    most: float | None = None,
    decimals: int | None = None,
    link: DashboardLink | None = None,
) -> bargauge.Panel:
    """A bar for each series, as of the end of the time range. Right for a funnel, or for what is largest now."""
    panel = (
        described(bargauge.Panel(), panel_id, title, description, unit=unit, span=span, height=height, steps=steps)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)
        .min(0)
    )
    if steps is None:
        panel.color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("blue"))
    if most is not None:
        panel.max(most)
    if decimals is not None:
        panel.decimals(decimals)
    for query, ref_id in zip(queries, REF_IDS, strict=False):
        panel.with_target(at_the_end(query, ref_id))
    return panel if link is None else panel.data_links([link])


def plain_legend() -> common.VizLegendOptions:
    """Below the panel, as a list."""
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )


def _as_limit(colour: str) -> list[DynamicConfigValue]:
    return [
        _fixed(colour),
        DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 6]}),
        DynamicConfigValue(id_val="custom.lineWidth", value=1),
        DynamicConfigValue(id_val="custom.hideFrom", value={"legend": True, "tooltip": False, "viz": False}),
    ]


def _fixed(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
