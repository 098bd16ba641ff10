"""Macros and variables in queries, filled in as Grafana does before it asks a data source."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.dashboards.committed import Variable

_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\[\[(?P<old>\w+)\]\]|\$(?P<plain>\w+)")
_DURATION = re.compile(r"(\d+)(ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PROMETHEUS_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}]")
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Intervals that Grafana rounds to, seconds."""


class View(NamedTuple):
    """What the reader looks at: from when to when, on how wide a panel, of a source scraped how often."""

    start: float
    end: float
    width: int = 1000
    scrape_seconds: float = 1.0


class Chosen(NamedTuple):
    """What is chosen of a variable: one or more values, or everything that `all_value` stands for."""

    values: tuple[str, ...]
    is_multi: bool
    all_value: str | None = None
    """Set while All is chosen and the variable says what that means: it goes into queries as it is."""


Choices = Mapping[str, Chosen]


def everything(variable: Variable, values: Sequence[str]) -> Chosen:
    """What All means for a variable that has these values."""
    return Chosen(tuple(values), is_multi=True, all_value=variable.json.get("allValue") or None)


def fill(
    text: str, source: str, view: View, choices: Choices, minimum: str | None = None, *, is_instant: bool = False
) -> str:
    """A query as it is sent.

    Args:
        text: With macros and variables.
        source: `prometheus` or `loki`: each writes several values in its own way.
        view: For the macros of time.
        choices: By variable.
        minimum: The least step that the query or its panel asks for: `1m`.
        is_instant: Whether it shows one moment: what Loki counts it counts over the whole range then.

    Raises:
        AssertionError: A variable is named that the dashboard lacks.
    """
    return fill_variables(text, source, choices, _macros(view, source, minimum, is_instant=is_instant))


def fill_variables(text: str, source: str, choices: Choices, macros: Mapping[str, str] | None = None) -> str:
    """The same, with macros that Grafana's server fills in left as they are where none are given."""

    def replace(match: re.Match[str]) -> str:
        name = match["braced"] or match["old"] or match["plain"]
        if name.startswith("__"):
            return match[0] if macros is None else macros[name]
        assert name in choices, f"expected a variable ${name}; the dashboard has {sorted(choices)}"
        return _written(choices[name], source, match["format"])

    return _VARIABLE.sub(replace, text)


def step(view: View, minimum: str | None = None) -> float:
    """Seconds between two points of a graph: `$__interval`."""
    least = seconds(minimum) if minimum else view.scrape_seconds
    wanted = max((view.end - view.start) / view.width, least)
    return float(next((one for one in STEPS if one >= wanted), STEPS[-1]))


def seconds(duration: str) -> float:
    """`1m30s` → 90."""
    found = _DURATION.findall(duration)
    assert found, f"expected a duration such as 1m, was {duration!r}"
    return float(sum(int(count) * _SECONDS[unit] for count, unit in found))


def _macros(view: View, source: str, minimum: str | None, *, is_instant: bool) -> dict[str, str]:
    interval, window = step(view, minimum), view.end - view.start
    least = seconds(minimum) if minimum else view.scrape_seconds
    rate = max(interval + least, 4 * least)
    known = {
        "__interval": f"{interval:.0f}s",
        "__interval_ms": f"{interval * 1000:.0f}",
        "__range": f"{window:.0f}s",
        "__range_s": f"{window:.0f}",
        "__range_ms": f"{window * 1000:.0f}",
        "__from": f"{view.start * 1000:.0f}",
        "__to": f"{view.end * 1000:.0f}",
    }
    if source == "prometheus":
        return known | {"__rate_interval": f"{rate:.0f}s", "__rate_interval_ms": f"{rate * 1000:.0f}"}
    return known | {"__auto": f"{window if is_instant else interval:.0f}s"}


def _written(chosen: Chosen, source: str, form: str | None) -> str:
    values = chosen.values
    if chosen.all_value is not None:
        return urllib.parse.quote(chosen.all_value) if form == "percentencode" else chosen.all_value
    match form:
        case "raw" | "pipe":
            return "|".join(values)
        case "csv":
            return ",".join(values)
        case "regex":
            quoted = [_PROMETHEUS_SPECIAL.sub(r"\\\g<0>", one) for one in values]
            return quoted[0] if len(quoted) == 1 else f"({'|'.join(quoted)})"
        case None:
            return _by_source(chosen, source)
    raise AssertionError(f"expected a format that this test knows, was {form!r}; add it to {__name__}")


def _by_source(chosen: Chosen, source: str) -> str:
    """As the data source's own code in Grafana writes values where no format is given."""
    if not chosen.is_multi:
        return chosen.values[0].replace("\\", "\\\\").replace('"', '\\"')
    quoted = [_PROMETHEUS_SPECIAL.sub(r"\\\\\g<0>", one) for one in chosen.values]
    if source == "loki" or len(quoted) == 1:
        return "|".join(quoted)
    return f"({'|'.join(quoted)})"


def least_step(panel: Mapping[str, Any], target: Mapping[str, Any]) -> str | None:
    """The least step that a query or its panel asks for."""
    return target.get("interval") or panel.get("interval") or None
