"""What every dashboard shares: its uid, its tag, the way to the others, and the data sources to choose from."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from deskwatch.dashboards import variables

TAG = "deskwatch"


def frame(name: str, title: str) -> Dashboard:
    """An empty dashboard `deskwatch-<name>`, which Grafana shows but does not let anybody edit: Python is its source.

    It is the classic JSON (v1): Grafana's file provisioning refuses the newer form.
    """
    others = (
        DashboardLink("Deskwatch")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    return (
        Dashboard(f"Deskwatch / {title}")
        .uid(f"{TAG}-{name}")
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others)
        .with_variable(variables.prometheus_datasource())
        .with_variable(variables.loki_datasource())
    )
