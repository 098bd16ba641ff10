"""The committed rules of Prometheus, and what is known of the metrics that they name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "prometheus" / "rules"


class Rule(NamedTuple):
    """A rule and where it is."""

    file: str
    group: str
    json: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the alert or of what is recorded."""
        return str(self.json.get("alert") or self.json["record"])

    @property
    def id(self) -> str:
        """To name it by in a test's report."""
        severity = self.json.get("labels", {}).get("severity")
        return f"{self.name}-{severity}" if severity else self.name

    @property
    def expr(self) -> str:
        """Its PromQL."""
        return str(self.json["expr"])


@cache
def rules() -> list[Rule]:
    """All of them."""
    return [
        Rule(path.name, group["name"], one)
        for path in sorted(FOLDER.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for one in group["rules"]
    ]


@cache
def alerts() -> list[Rule]:
    """Those that fire."""
    return [one for one in rules() if "alert" in one.json]


@cache
def records() -> list[Rule]:
    """Those that record a series."""
    return [one for one in rules() if "record" in one.json]
