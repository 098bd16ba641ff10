"""A file of Prometheus' rules as the Prometheus Operator's `PrometheusRule`.

The text is taken over line by line, comments and anchors included, so that both files read alike and a change shows
alike in both. Two things are said anew: how often a group is evaluated (the Operator's default is half a minute, where
these rules count on seconds), and where people reach Grafana.
"""

from __future__ import annotations

from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.kubernetes.manifest import head, indent, object_name
from deskwatch.kubernetes.settings import GRAFANA_URL, Pace


def prometheus_rule(name: str, rules: str, pace: Pace, grafana_url: str = GRAFANA_URL) -> str:
    """The manifest of `prometheus/rules/<name>.yml`.

    Args:
        name: The file's name without its ending.
        rules: The file's text.
        pace: How often groups that don't say are evaluated.
        grafana_url: Takes the place of the compose stack's address in the alerts' links.

    Raises:
        ConfigError: The file holds no groups of rules, or its name makes none for an object.
    """
    manifest = head(
        f"prometheus/rules/{name}.yml", api="monitoring.coreos.com/v1", kind="PrometheusRule", name=object_name(name)
    )
    lines = rules.splitlines()
    for line, column in sorted(_without_interval(name, rules), reverse=True):
        lines.insert(line, f"{' ' * column}interval: {pace.evaluation_interval}")
    text = "\n".join(lines).replace(GRAFANA_URL, grafana_url.rstrip("/"))
    return manifest + "spec:\n" + indent(text, 2)


def _without_interval(name: str, rules: str) -> list[tuple[int, int]]:
    """Where groups that say no interval can say one: the line after each one's name, and the column of its keys."""
    import yaml  # noqa: PLC0415 — the extra `stack` has it, and most commands don't need it

    try:
        groups = _entries(yaml.compose(rules, Loader=yaml.SafeLoader))["groups"][1].value
        places = []
        for group in groups:
            entries = _entries(group)
            if "interval" not in entries:
                key, value = entries["name"]
                places.append((value.end_mark.line + 1, key.start_mark.column))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"expected prometheus/rules/{name}.yml to hold groups of rules, each with a name: {error!r}; "
            "promtool check rules says more"
        ) from None
    return places


def _entries(node: Any) -> dict[str, tuple[Any, Any]]:  # Any: PyYAML's nodes know no types
    """Key → the nodes of key and value of a mapping."""
    return {key.value: (key, value) for key, value in node.value}
