"""The variables that dashboards offer under the same names, so that links between dashboards carry them over."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    DatasourceVariable,
    QueryVariable,
    TextBoxVariable,
)
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus_datasource}")
"""Whatever Prometheus the reader picked: no panel names a data source's uid."""
LOKI = DataSourceRef(type_val="loki", uid="${loki_datasource}")

BOT = 'bot=~"$bot"'
"""Matcher of the bots that the reader picked."""
BOT_OR_NONE = 'bot=~"$bot|"'
"""The same, and what belongs to no bot."""
STRATEGY = 'strategy=~"$strategy"'
VENUE = 'venue=~"$venue"'
SYMBOL = 'symbol=~"$symbol"'
PROVIDER = 'provider=~"$provider"'


_ALL = VariableOption(selected=True, text=["All"], value=["$__all"])
"""What is chosen at first."""


def matching(*matchers: str) -> str:
    """Matchers as they stand between braces: `matching(BOT, VENUE)`. A series must have the labels that they name."""
    return ", ".join(matchers)


def prometheus_datasource() -> DatasourceVariable:
    """Which Prometheus."""
    return DatasourceVariable("prometheus_datasource").label("Prometheus data source").type("prometheus")


def loki_datasource() -> DatasourceVariable:
    """Which Loki."""
    return DatasourceVariable("loki_datasource").label("Loki data source").type("loki")


def bot() -> QueryVariable:
    """Which bots; all of them at first."""
    return _query("bot", "Bot", "label_values(tradebot_last_event_timestamp_seconds, bot)").all_value(".+")


def strategy() -> QueryVariable:
    """Which strategies of those bots. All: also what belongs to none."""
    return _label("strategy", "Strategy")


def venue() -> QueryVariable:
    """Which venues of those bots. All: also what belongs to none."""
    return _label("venue", "Venue")


def symbol() -> QueryVariable:
    """Which instruments of those that these bots watch, trade or hold. All: also what belongs to none."""
    families = "tradebot_(price|funding_rate_ratio|opportunities_found_total|orders_submitted_total|positions_open)"
    return _label("symbol", "Symbol", families)


def provider() -> QueryVariable:
    """Which of those who decide and predict for those bots."""
    return _label("provider", "Provider")


def sidecar_url() -> TextBoxVariable:
    """Where the reader's browser finds the sidecar's live page."""
    return text("sidecar_url", "Live page", "http://localhost:9464")


def text(name: str, label: str, value: str = "") -> TextBoxVariable:
    """What the reader types."""
    given = VariableOption(selected=True, text=value, value=value)
    return TextBoxVariable(name).label(label).default_value(value).current(given).options([given])


def choice(name: str, label: str, values: Sequence[str]) -> CustomVariable:
    """One or several of what is known beforehand; all at first."""
    options = [VariableOption(selected=True, text="All", value="$__all")]
    options += [VariableOption(selected=False, text=value, value=value) for value in values]
    return (
        CustomVariable(name)
        .label(label)
        .values(",".join(values))
        .options(options)
        .current(_ALL)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def _label(name: str, label: str, families: str = "tradebot_.+") -> QueryVariable:
    """Values of a label over several families of the bots: no one has each strategy, venue or symbol."""
    return _query(name, label, f'label_values({{__name__=~"{families}", {BOT}}}, {name})').all_value(".*")


def _query(name: str, label: str, query: str) -> QueryVariable:
    """Read anew when the time range changes, so that what is past is found too."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": name})
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .current(_ALL)
        .multi(True)
        .include_all(True)
    )
