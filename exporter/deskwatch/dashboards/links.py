"""Ways from a figure to what explains it; time range, data sources and the bot go along."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DashboardLink

OF_SERIES = "${__field.labels.bot}"
"""The bot of the series that was clicked."""
OF_CELL = "${__value.text}"
"""What stands in the table's cell that was clicked."""
_ALONG = "${__url_time_range}&${prometheus_datasource:queryparam}&${loki_datasource:queryparam}"


def dashboard_url(name: str, **variables: str) -> str:
    """Path of one of our dashboards, with variables filled and the time range kept."""
    filled = "".join(f"var-{variable}={value}&" for variable, value in variables.items())
    return f"/d/deskwatch-{name}?{filled}{_ALONG}"


def to_dashboard(name: str, title: str, **variables: str) -> DashboardLink:
    """A link on a figure, say `to_dashboard("bot", "This bot", bot=OF_SERIES)`."""
    return DashboardLink(title).url(dashboard_url(name, **variables))
