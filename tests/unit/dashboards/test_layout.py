"""Sections of a dashboard: lines that fill the grid."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():  # the SDK advises against the classic form, which alone can be provisioned
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deskwatch.dashboards.layout import section
    from deskwatch.dashboards.panels import course, figure


def a_figure(panel_id: int, **more: Any) -> Any:
    return figure(panel_id, "Orders", "How many.", ("orders", "orders"), unit="none", **more)


def places(dashboard: Dashboard) -> dict[int, tuple[int, int]]:
    return {one.id_val: (one.grid_pos.x, one.grid_pos.y) for one in dashboard.build().panels or []}  # type: ignore[union-attr, misc]  # all panels here have an id and a place


def test_lines_stand_below_each_other_under_their_heading() -> None:
    """From left to right, then on a new line; the next section follows."""
    dashboard = Dashboard("t")
    section(dashboard, 1, "First", [a_figure(2, span=12), a_figure(3, span=12)], [a_figure(4, span=24)])
    section(dashboard, 5, "Second", [a_figure(6, span=24)])
    assert places(dashboard) == {1: (0, 0), 2: (0, 1), 3: (12, 1), 4: (0, 5), 5: (0, 9), 6: (0, 10)}


def test_a_line_that_does_not_fill_the_width_is_refused() -> None:
    """The message names the section and the width."""
    with pytest.raises(ValueError, match=re.escape("expected 24 columns in line 0 of 'First', was 21")):
        section(Dashboard("t"), 1, "First", [a_figure(number, span=3) for number in range(2, 9)])


def test_panels_of_different_heights_are_refused() -> None:
    """They would leave a hole, or lie on the next line."""
    tall = course(3, "Orders", "How many.", [("orders", "orders")], unit="none", span=12)
    with pytest.raises(ValueError, match=re.escape("expected one height in line 0 of 'First', was [4, 8]")):
        section(Dashboard("t"), 1, "First", [a_figure(2, span=12), tall])


def test_a_collapsed_section_holds_its_panels() -> None:
    """Grafana shows them, and asks their queries, when it is opened."""
    dashboard = Dashboard("t")
    section(dashboard, 1, "Causes", [a_figure(2, span=24)], collapsed=True)
    (row,) = dashboard.build().panels or []
    assert row.collapsed  # type: ignore[union-attr]  # a row, not a panel
    assert [panel.id_val for panel in row.panels] == [2]  # type: ignore[union-attr]  # as above
