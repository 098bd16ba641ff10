"""Distributions: where all observations lie, not only their middle."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, common, heatmap
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    HeatmapCellLayout,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import FieldColorModeId
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deskwatch.dashboards.drawing import at_the_end, described, over_time


def heat(
    panel_id: int, title: str, description: str, expr: str, *, unit: str, span: int = 12, height: int = 8
) -> heatmap.Panel:
    """How many observations fell into each bucket, over time; traces as dots. Right for latencies: it shows two modes.

    `expr` sums a rate or an increase of buckets `by (le)`; `unit` is that of the bounds.
    """
    return (
        described(heatmap.Panel(), panel_id, title, description, unit=unit, span=span, height=height)
        .calculate(False)
        .rows_frame(heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.LE))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .scale(HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(32)
            .reverse(True)
        )
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .cell_values(heatmap.CellValues().unit("short"))
        .cell_gap(1)
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .tooltip(heatmap.HeatmapTooltip().mode(TooltipDisplayMode.SINGLE).y_histogram(True).show_color_scale(True))
        .exemplars_color("rgba(255,120,10,0.8)")
        .with_target(over_time((expr, "{{le}}"), "A", exemplars=True).format(PromQueryFormat.HEATMAP))
    )


def distribution(
    panel_id: int, title: str, description: str, expr: str, *, unit: str, span: int = 12, height: int = 8
) -> bargauge.Panel:
    """How many observations fell into each bucket, over the whole time range: a histogram, a bar for each bound.

    `expr` sums an increase of buckets over `[$__range]` `by (le)`; `unit` is that of the counts, mostly `short`.
    """
    return (
        described(bargauge.Panel(), panel_id, title, description, unit=unit, span=span, height=height)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)
        .min(0)
        .decimals(0)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("blue"))
        .with_target(at_the_end((expr, "{{le}}"), "A").format(PromQueryFormat.HEATMAP))
    )
