"""The variables that every dashboard offers under the same names, so that links between dashboards carry them over."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import VariableRefresh, VariableSort

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus_datasource}")
"""Whatever Prometheus the reader picked: no panel names a data source's uid."""
LOKI = DataSourceRef(type_val="loki", uid="${loki_datasource}")

BOT = 'bot=~"$bot"'
"""Matcher of the bots that the reader picked."""
BOT_OR_NONE = 'bot=~"$bot|"'
"""The same, and what belongs to no bot."""


def prometheus_datasource() -> DatasourceVariable:
    """Which Prometheus."""
    return DatasourceVariable("prometheus_datasource").label("Prometheus data source").type("prometheus")


def loki_datasource() -> DatasourceVariable:
    """Which Loki."""
    return DatasourceVariable("loki_datasource").label("Loki data source").type("loki")


def bot() -> QueryVariable:
    """Which bots; all of them at first. Read anew when the time range changes, so that past bots are found too."""
    return (
        QueryVariable("bot")
        .label("Bot")
        .datasource(PROMETHEUS)
        .query({"query": "label_values(tradebot_last_event_timestamp_seconds, bot)", "refId": "bot"})
        .definition("label_values(tradebot_last_event_timestamp_seconds, bot)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
    )
