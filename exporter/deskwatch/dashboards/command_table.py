"""The audit's table: what the journal says of each command, newest first. From Loki: no figure has the words."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, loki, table
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMap,
    ValueMappingResult,
)

from deskwatch.dashboards.drawing import WIDTH, described
from deskwatch.dashboards.variables import BOT, LOKI

_HEADINGS = {
    "Time": "Time",
    "bot": "Bot",
    "command": "Command",
    "type": "Step",
    "actor": "By",
    "reason": "Reason",
    "error": "What went wrong",
    "params": "Parameters",
    "result": "Result",
    "command_id": "Id",
}
"""Field of a line → heading."""
_WIDTHS = {"Time": 190, "Bot": 110, "Command": 150, "Step": 110, "By": 120, "Reason": 220}
_STEPS = {
    "command_accepted": ("accepted", "blue"),
    "command_started": ("begun", "text"),
    "command_succeeded": ("done", "green"),
    "command_failed": ("failed", "red"),
    "command_refused": ("refused", "purple"),
    "command_expired": ("expired", "orange"),
    "command_unconfirmed": ("unconfirmed", "orange"),
}
_FROM_THE_LINE = ("command", "actor", "reason", "error", "params", "result")
"""Fields that stand in the line only; the others are labels and metadata."""


def command_table(panel_id: int) -> table.Panel:
    """The panel."""
    fields = ", ".join(f'{name}="{name}"' for name in _FROM_THE_LINE)
    expr = (
        f'{{service_name="deskwatch", {BOT}, kind="control"}} | type =~ `command_.+` | type != `command_offered` '
        f"| json {fields}"
    )
    panel = (
        described(
            table.Panel(),
            panel_id,
            "Commands, step by step",
            "Each step of each command: who gave it and why (as it was accepted), that the bot began, how it ended and "
            "what went wrong. Steps of one command share their id. Unconfirmed: look at the venue before giving it "
            "again.",
            unit="none",
            span=WIDTH,
            height=10,
            source=LOKI,
            no_value="",
        )
        .with_target(loki.Dataquery().datasource(LOKI).expr(expr).ref_id("A").query_type("range").max_lines(500))
        .sort_by([common.TableSortByFieldState().display_name("Time").desc(True)])
        .with_transformation(
            DataTransformerConfig(id_val="extractFields", options={"source": "labels", "format": "json"})
        )
        .with_transformation(
            DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(_HEADINGS)}})
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "renameByName": _HEADINGS,
                    "indexByName": {name: index for index, name in enumerate(_HEADINGS)},
                },
            )
        )
    )
    for heading, width in _WIDTHS.items():
        panel.override_by_name(heading, [DynamicConfigValue(id_val="custom.width", value=width)])
    return panel.override_by_name(
        "Step",
        [
            DynamicConfigValue(id_val="mappings", value=[ValueMap(options=_steps())]),
            DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        ],
    )


def _steps() -> dict[str, ValueMappingResult]:
    return {
        name: ValueMappingResult(text=text, color=colour, index=index)
        for index, (name, (text, colour)) in enumerate(_STEPS.items())
    }
