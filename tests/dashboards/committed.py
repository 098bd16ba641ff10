"""What lies in `grafana/dashboards/`: each dashboard's panels, queries, variables, annotations and links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in FILES}
"""File's stem → JSON."""


_GROWN = re.compile(
    r"(?P<one>\w+_total(?:\{[^{}]*\})?) - \((?P=one) offset (?P<window>\S+) <= (?P=one) "
    r"or (?P=one) \* 0 and on \([^()]+\) tradebot_last_event_timestamp_seconds\{[^{}]*\} offset (?P=window) "
    r"or min_over_time\((?P=one)\[(?P=window)\]\)\)"
)
"""An increase that counts a series' first event too: `grown` in `deskwatch.dashboards.promql`."""


class Panel(NamedTuple):
    """A panel and where it is."""

    dashboard: str
    json: dict[str, Any]

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        return f"{self.dashboard}-{self.json['id']}-{self.json['title']}"


class Target(NamedTuple):
    """One query of a panel."""

    panel: Panel
    json: dict[str, Any]

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        return f"{self.panel.id}-{self.json['refId']}"

    @property
    def expr(self) -> str:
        """PromQL or LogQL, with Grafana's macros."""
        return str(self.json["expr"])

    @property
    def source(self) -> str:
        """`prometheus` or `loki`."""
        return str(self.json["datasource"]["type"])


class Variable(NamedTuple):
    """One variable of a dashboard."""

    dashboard: str
    json: dict[str, Any]

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        return f"{self.dashboard}-{self.json['name']}"

    @property
    def query(self) -> str | dict[str, Any]:
        """What is asked for its values: as Grafana's own form has it."""
        query: str | dict[str, Any] = self.json["query"]
        if isinstance(query, dict) and "query" in query:
            return str(query["query"])
        return query


class Annotation(NamedTuple):
    """One query for annotations."""

    dashboard: str
    json: dict[str, Any]

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        return f"{self.dashboard}-{self.json['name']}"

    @property
    def expr(self) -> str:
        """Its query, in the place where older or newer Grafanas write it."""
        return str(self.json.get("expr") or self.json["target"]["expr"])


class Link(NamedTuple):
    """A link, and what it hangs on."""

    owner: str
    panel: Panel | None
    json: dict[str, Any]

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        return f"{self.owner}-{self.json['title']}"


@cache
def panels() -> list[Panel]:
    """All panels that show data: those of collapsed rows too; neither rows nor mere text."""
    return [Panel(name, one) for name, dashboard in DASHBOARDS.items() for one in within(dashboard) if is_data(one)]


@cache
def texts() -> list[Panel]:
    """All panels that are words only."""
    found = [Panel(name, one) for name, dashboard in DASHBOARDS.items() for one in within(dashboard)]
    return [one for one in found if one.json["type"] == "text"]


def within(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels of a dashboard, rows and what is in them."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def is_data(panel: dict[str, Any]) -> bool:
    """Whether it is more than a heading or some words."""
    return panel["type"] not in {"row", "text"}


@cache
def targets(source: str) -> list[Target]:
    """All queries for this kind of data source."""
    found = [Target(panel, one) for panel in panels() for one in panel.json.get("targets", [])]
    return [one for one in found if one.source == source]


def variables(dashboard: str) -> list[Variable]:
    """A dashboard's variables, in their order."""
    return [Variable(dashboard, one) for one in DASHBOARDS[dashboard]["templating"]["list"]]


@cache
def query_variables() -> list[Variable]:
    """All variables whose values are asked for."""
    return [one for name in DASHBOARDS for one in variables(name) if one.json["type"] == "query"]


@cache
def annotation_queries() -> list[Annotation]:
    """All queries for annotations, but for Grafana's built-in one."""
    found = [
        Annotation(name, one)
        for name, dashboard in DASHBOARDS.items()
        for one in dashboard.get("annotations", {}).get("list", [])
    ]
    return [one for one in found if not one.json.get("builtIn") and one.json["datasource"].get("type") == "loki"]


@cache
def links() -> list[Link]:
    """All links: of dashboards, panels, their figures and their overrides."""
    found = [Link(name, None, one) for name, dashboard in DASHBOARDS.items() for one in dashboard.get("links", [])]
    for panel in panels():
        found += [Link(panel.id, panel, one) for one in _links_of(panel.json)]
    return found


def _links_of(node: object) -> Iterator[dict[str, Any]]:
    """Whatever lies in a list under `links`, however deep (value of an override, of a field's defaults)."""
    if isinstance(node, dict):
        if node.get("id") == "links":
            yield from node["value"]
        for key, value in node.items():
            if key == "links" and isinstance(value, list):
                yield from value
            else:
                yield from _links_of(value)
    elif isinstance(node, list):
        for one in node:
            yield from _links_of(one)


def as_increase(expr: str) -> str:
    """PromQL in which what `grown` makes is written as the increase that it is, for rules about counters."""
    return _GROWN.sub(r"increase(\g<one>[\g<window>])", expr)
