"""The activity journal: every line that the bots wrote, to be searched, counted and read."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import CustomVariable, Dashboard, TextBoxVariable

from deskwatch.dashboards.expressions import LEVELS
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.lines import activity as lines
from deskwatch.dashboards.lines import counted, total
from deskwatch.dashboards.notes import note
from deskwatch.dashboards.variables import BOT
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.projections.activity import FREQUENT
from deskwatch.projections.activity import LEVELS as ALL_LEVELS

_CHOSEN = (
    f'{{service_name="deskwatch", {BOT}, kind=~"$kind"}} |~ "(?i)$search" '
    '| level=~"$level" | strategy=~"$strategy" | venue=~"$venue" | symbol=~"$symbol"'
)
