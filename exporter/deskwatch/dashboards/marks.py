"""Marks on the time axis: what happened, beside what the figures did. Each is switched on and off above the panels.

What comes seldom and explains much is on at first; what may come by the hundred, in a bad night, is off.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.builders.dashboard import AnnotationPanelFilter, AnnotationQuery
from grafana_foundation_sdk.models.dashboard import AnnotationPanelFilter as Filter
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deskwatch.dashboards.variables import BOT, BOT_OR_NONE, LOKI, PROMETHEUS

JOURNAL = f'{{service_name="deskwatch", {BOT}}}'
"""Lines of the bots chosen, in Loki."""
FREQUENT = ".+_observed|heartbeat_sent|request_completed|position_updated"
"""Types of events that come many times a second, as a regular expression."""


def mode_changes() -> AnnotationQuery:
    """Each change of a bot's mode, with who asked and why."""
    return from_journal(
        "Modes",
        "mode_changed",
        "{{.bot}}: {{if .previous}}{{.previous}} → {{end}}{{.mode}}{{if .actor}}, by {{.actor}}{{end}}"
        "{{if .reason}}: {{.reason}}{{end}}",
        "blue",
    )


def deployments() -> AnnotationQuery:
    """Each start of a bot, with the version that it runs since."""
    return from_journal(
        "Starts",
        "bot_started",
        "{{.bot}} started{{if .version}}, version {{.version}}{{end}}, {{.mode}}, on {{.host}}",
        "purple",
    )


def risk_alerts() -> AnnotationQuery:
    """Limits that a bot itself saw crossed."""
    return from_journal(
        "Risk alerts",
        "risk_alert_raised",
        "{{.bot}}: {{.alert}}{{if .symbol}} {{.symbol}}{{end}} ({{.severity}}){{if .message}}: {{.message}}{{end}}",
        "orange",
        shown=False,
    )


def firing_alerts() -> AnnotationQuery:
    """How long alerts of Prometheus fired, for the bots chosen and for deskwatch itself."""
    return (
        AnnotationQuery()
        .name("Alerts")
        .datasource(PROMETHEUS)
        .enable(False)
        .hide(False)
        .icon_color("red")
        .expr(expr := f'ALERTS{{alertstate="firing", alertname!="Watchdog", {BOT_OR_NONE}}}')
        .target(prometheus.Dataquery().datasource(PROMETHEUS).expr(expr).ref_id("Alerts").range().interval("15s"))
        .step("15s")
        .title_format("{{alertname}}")
        .text_format("{{bot}} ({{severity}})")
        .tag_keys("alertname,severity,bot")
    )


def from_journal(
    name: str,
    types: str,
    text: str,
    colour: str,
    *,
    narrowed: str = "",
    shown: bool = True,
    spared: Sequence[int] = (),
) -> AnnotationQuery:
    """Events of the journal as marks.

    Args:
        name: Of the switch.
        types: Which events; several are parted by `|`.
        text: Of the mark: Go's template over the event's fields. (Grafana's own templates show a missing field's name.)
        colour: Of the marks.
        narrowed: A further condition on lines, as LogQL has them after `|`.
        shown: Whether it is switched on at first.
        spared: Ids of panels without these marks.
    """
    condition = f" | {narrowed}" if narrowed else ""
    made = (
        AnnotationQuery()
        .name(name)
        .datasource(LOKI)
        .enable(shown)
        .hide(False)
        .icon_color(colour)
        .expr(f"{JOURNAL} | type=~`{types}`{condition} | json | line_format `{text}`")
        .tag_keys("bot")
    )
    return made.filter(AnnotationPanelFilter().exclude(True).ids(list(spared))) if spared else made


def spare_states(dashboard: Dashboard) -> None:
    """Keep marks off the panels that show states as coloured bars: they would cut them to pieces, and say the same."""
    drawn = ("state-timeline", "status-history")
    ids = [panel.id_val for panel in dashboard.panels or [] if isinstance(panel, Panel) and panel.type_val in drawn]
    for one in dashboard.annotations.list_val or [] if dashboard.annotations else []:
        if one.filter_val is None and ids:
            one.filter_val = Filter(exclude=True, ids=[panel_id for panel_id in ids if panel_id is not None])
