"""What every dashboard shares: its uid, its tag, the ways out of it, its marks, and the data sources to choose from."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, VariableModel

from deskwatch.dashboards import marks, variables

TAG = "deskwatch"


def frame(
    name: str,
    title: str,
    description: str,
    *further: cogbuilder.Builder[VariableModel],
    since: str = "now-1h",
    refresh: str = "30s",
) -> Dashboard:
    """An empty dashboard `deskwatch-<name>`, which Grafana shows but does not let anybody edit: Python is its source.

    It is the classic JSON (v1): Grafana's file provisioning refuses the newer form.

    Args:
        name: Of the file and in the uid.
        title: After `Deskwatch / `.
        description: Whom it serves and what it answers, a sentence or two.
        further: Variables beside the data sources and `bot`: strategy, venue, symbol where the panels have such labels.
        since: Begin of the time range at first.
        refresh: How often it is asked anew: dozens of queries each time, so no oftener than somebody can look.
    """
    others = (
        DashboardLink("Deskwatch")
        .type(DashboardLinkType.DASHBOARDS)
        .tooltip("The other dashboards, with the same time range and bots")
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    live_page = (
        DashboardLink("Live page")
        .type(DashboardLinkType.LINK)
        .icon("bolt")
        .tooltip("The sidecar's own page: what happens now, and commands. Its address is the variable of that name")
        .url("${sidecar_url:raw}/")
        .target_blank(True)
    )
    made = (
        Dashboard(f"Deskwatch / {title}")
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .readonly()
        .refresh(refresh)
        .time(since, "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others)
        .link(live_page)
        .annotation(marks.firing_alerts())
        .annotation(marks.risk_alerts())
        .annotation(marks.mode_changes())
        .annotation(marks.deployments())
        .with_variable(variables.prometheus_datasource())
        .with_variable(variables.loki_datasource())
    )
    for variable in (variables.bot(), *further, variables.sidecar_url()):
        made.with_variable(variable)
    return made
