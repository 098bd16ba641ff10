"""The journal's lines, as Loki has them, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, logs, stat, timeseries
from grafana_foundation_sdk.builders import loki as loki_query
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LogsDedupStrategy,
    LogsSortOrder,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from deskwatch.dashboards.drawing import REF_IDS, WIDTH, Query, Steps, described
from deskwatch.dashboards.panels import PLAIN, plain_legend
from deskwatch.dashboards.variables import LOKI

SAID = (
    "{{.bot}}  {{.type}}  {{.command}}{{.alert}}{{.action}}{{.signal}}{{.target}}{{.component}} {{.kind_extracted}} "
    "{{if .previous}}{{.previous}} → {{end}}{{.mode}} {{.side}} "
    '{{if .quantity}}{{printf "%.8g" (float64 .quantity)}} {{end}}{{.symbol}} '
    '{{if .price}}at {{printf "%.8g" (float64 .price)}} {{end}}'
    '{{if .entry_price}}at {{printf "%.8g" (float64 .entry_price)}} {{end}}{{.venue}} {{.chain}} {{.provider}} '
    "{{.version}} {{.problem}} "
    '{{if .amount}}{{printf "%.8g" (float64 .amount)}} {{.asset}} {{end}}'
    '{{if .realized_pnl}}result {{printf "%.2f" (float64 .realized_pnl)}} {{.asset}} {{end}}'
    '{{if .expected_profit}}expects {{printf "%.2f" (float64 .expected_profit)}} {{.asset}} {{end}}'
    '{{if .confidence}}sure {{printf "%.2f" (float64 .confidence)}} {{end}}'
    '{{if .probability}}likely {{printf "%.2f" (float64 .probability)}} {{end}}'
    "{{if .actor}}by {{.actor}} {{end}}{{.reason}} {{.error}} {{.message}} {{.reasoning}}"
)
"""Any event in one line, by Go's template: what it is, then what it has of the fields that people look for."""


def said(expr: str, template: str = SAID) -> str:
    """Lines as a template says them, without the gaps that absent fields leave; a click still opens all fields."""
    return f'{expr} | json | line_format `{template}` | line_format `{{{{regexReplaceAll " +" __line__ " "}}}}`'


def activity(
    panel_id: int, title: str, description: str, expr: str, *, span: int = WIDTH, height: int = 12
) -> logs.Panel:
    """Lines, newest first; a click opens a line's fields. Right for what a figure can't tell: who, why, which."""
    return (
        described(logs.Panel(), panel_id, title, description, unit="none", span=span, height=height, source=LOKI)
        .show_time(True)
        .show_labels(False)
        .show_common_labels(False)
        .wrap_log_message(False)
        .enable_log_details(True)
        .dedup_strategy(LogsDedupStrategy.NONE)
        .sort_order(LogsSortOrder.DESCENDING)
        .with_target(loki_query.Dataquery().datasource(LOKI).expr(expr).ref_id("A").query_type("range").max_lines(300))
    )


def total(
    panel_id: int,
    title: str,
    description: str,
    expr: str,
    *,
    span: int = 4,
    height: int = 4,
    steps: Steps | None = None,
) -> stat.Panel:
    """How many lines in the whole time range. `expr` counts over `[$__range]`."""
    panel = (
        described(
            stat.Panel(),
            panel_id,
            title,
            description,
            unit="short",
            span=span,
            height=height,
            steps=steps,
            source=LOKI,
            no_value="0",
        )
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .with_target(
            loki_query.Dataquery()
            .datasource(LOKI)
            .expr(expr)
            .legend_format(title)
            .ref_id("A")
            .query_type("instant")
            .instant(True)
        )
    )
    return panel if steps is not None else panel.color_scheme(PLAIN)


def counted(
    panel_id: int,
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    span: int = 12,
    height: int = 8,
    colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """How many lines in each interval, stacked bars. Right for how much happened, and of what.

    `queries` count over `[$__auto]`. `colours`: regular expression over legends → colour, where it means something.
    """
    panel = (
        described(timeseries.Panel(), panel_id, title, description, unit="none", span=span, height=height, source=LOKI)
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(60)
        .line_width(0)
        .show_points(VisibilityMode.NEVER)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(plain_legend())
        .min(0)
    )
    for (expr, legend), ref_id in zip(queries, REF_IDS, strict=False):
        panel.with_target(
            loki_query.Dataquery().datasource(LOKI).expr(expr).legend_format(legend).ref_id(ref_id).query_type("range")
        )
    for pattern, colour in (colours or {}).items():
        fixed = DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        panel.override_by_regexp(f"/{pattern}/", [fixed])
    return panel
