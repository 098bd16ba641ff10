"""Where panels stand: sections with a heading, of lines that fill the grid's width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from deskwatch.dashboards.drawing import WIDTH

Line = Sequence[Any]
"""Builders of panels (`Any`: they have no base of their own that tells their place), from left to right."""


def section(dashboard: Dashboard, row_id: int, title: str, *lines: Line, collapsed: bool = False) -> None:
    """Add a heading and lines of panels below it, each as wide as the grid and of one height.

    Args:
        dashboard: Where to.
        row_id: The heading's id, unique among all panels.
        title: The heading.
        lines: From top to bottom.
        collapsed: Opened by a click only; its queries wait until then. For causes, not for symptoms.

    Raises:
        ValueError: A line does not fill the width, or its panels differ in height. It names the section.
    """
    row = Row(title).id(row_id)
    panels = [panel for number, line in enumerate(lines) for panel in _checked(line, f"line {number} of {title!r}")]
    if collapsed:
        for panel in panels:
            row.with_panel(panel)
    dashboard.with_row(row)
    if not collapsed:
        for panel in panels:
            dashboard.with_panel(panel)


def _checked(line: Line, name: str) -> Line:
    places = [panel.build().grid_pos for panel in line]
    if (width := sum(place.w for place in places)) != WIDTH:
        raise ValueError(f"expected {WIDTH} columns in {name}, was {width}; change the panels' span")
    if len(heights := {place.h for place in places}) != 1:
        raise ValueError(f"expected one height in {name}, was {sorted(heights)}; change the panels' height")
    return line
