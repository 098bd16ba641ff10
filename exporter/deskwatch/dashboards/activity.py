"""The activity journal: every line that the bots wrote, to be searched, counted and read."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import lines, variables
from deskwatch.dashboards.expressions import LEVEL_COLOURS
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.marks import FREQUENT
from deskwatch.dashboards.variables import BOT
from deskwatch.events import KINDS, UNKNOWN_KIND
from deskwatch.projections.activity import LEVELS

_CHOSEN = (
    f'{{service_name="deskwatch", {BOT}, kind=~"$kind"}} |~ `(?i)${{search:raw}}` | level=~"$level" | symbol=~"$symbol"'
)
"""Lines of the bots and kinds chosen that hold the text. (Grafana escapes what is chosen for quotation marks.)"""


def activity() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "activity",
        "Activity journal",
        "Every line that the bots journaled, newest first: choose kinds and levels above, or type a part of a line "
        "(an order's id, a trace, a word). A click on a line opens its fields; its trace leads to the lines with it.",
        variables.choice("kind", "Kind", sorted({*KINDS.values(), UNKNOWN_KIND})),
        variables.choice("level", "Level", LEVELS),
        variables.symbol(),
        variables.text("search", "Text"),
        since="now-15m",
        refresh="10s",
    )
    for part in (_how_much, _all, _by_subject):
        part(dashboard)
    return dashboard


def _all_of(expr: str) -> str:
    """How many in the whole time range."""
    return f"sum(count_over_time({expr} [$__range]))"


def _by(label: str, expr: str) -> str:
    """How many in each interval."""
    return f"sum by ({label}) (count_over_time({expr} [$__auto]))"


def _how_much(dashboard: Dashboard) -> None:
    figures = [
        lines.total(2, "Lines", "Lines of the time range that fit what is chosen above.", _all_of(_CHOSEN)),
        lines.total(
            3,
            "Errors",
            "Of those, errors: an exception in a bot's code, a command that failed. Read them below.",
            _all_of(f"{_CHOSEN} | level=~`error|critical`"),
            steps=((None, "green"), (1, "red")),
        ),
        lines.total(
            4,
            "Warnings",
            "Of those, warnings: orders refused, connections lost, transactions reverted, limits crossed.",
            _all_of(f"{_CHOSEN} | level=`warning`"),
            steps=((None, "green"), (1, "orange")),
        ),
        lines.total(
            5,
            "Orders submitted",
            "Of those, orders that were sent. Compare with the refused ones.",
            _all_of(f"{_CHOSEN} | type=`order_submitted`"),
        ),
        lines.total(
            6,
            "Orders refused",
            "Of those, orders that a venue or chain refused. Execution tells why.",
            _all_of(f"{_CHOSEN} | type=`order_rejected`"),
            steps=((None, "green"), (1, "orange")),
        ),
        lines.total(
            7,
            "Decisions",
            "Of those, what models and rules decided. None, while it should trade: its inputs are missing.",
            _all_of(f"{_CHOSEN} | type=`decision_made`"),
        ),
    ]
    counts = [
        lines.counted(
            8,
            "Lines by kind",
            "How many lines of each kind in each interval. A kind that stops is a part of the bot that stopped.",
            [(_by("kind", _CHOSEN), "{{kind}}")],
        ),
        lines.counted(
            9,
            "Lines by level",
            "How serious they are, observations and heartbeats left out. More red and orange than usual: read below.",
            [(_by("level", f"{_CHOSEN} | type!~`{FREQUENT}`"), "{{level}}")],
            colours=LEVEL_COLOURS,
        ),
    ]
    section(dashboard, 1, "How much", figures, counts)


def _all(dashboard: Dashboard) -> None:
    section(
        dashboard,
        20,
        "Activity",
        [
            lines.activity(
                21,
                "Activity",
                "What the bots did, observations and heartbeats left out, in short. A click opens a line's fields; its "
                "trace leads to the lines of the same order.",
                lines.said(f"{_CHOSEN} | type!~`{FREQUENT}`"),
                height=16,
            )
        ],
    )


def _by_subject(dashboard: Dashboard) -> None:
    subjects = (
        (41, "Trouble", "level=~`warning|error|critical`", "Warnings and errors, the newest first."),
        (42, "Orders", "type=~`order_.+`", "Each step in each order's life; its id finds the others above."),
        (
            43,
            "Decisions",
            "type=~`decision_.+|prediction_.+|signal_.+|opportunity_.+`",
            "What was seen, foretold and decided, by whom, and how surely. Their reasoning is text from outside.",
        ),
        (
            44,
            "Modes, commands and starts",
            "type=~`mode_changed|command_.+|bot_.+|process_acted|config_reloaded`",
            "Who asked for what, and what came of it; starts with their versions.",
        ),
    )
    panels = [
        lines.activity(panel_id, title, words, lines.said(f"{_CHOSEN} | {narrowed}"), span=12, height=11)
        for panel_id, title, narrowed, words in subjects
    ]
    section(dashboard, 40, "By subject", panels[:2], panels[2:])
    section(
        dashboard,
        60,
        "All lines",
        [
            lines.activity(
                61,
                "All lines",
                "All of them, observations and heartbeats too, as they were journaled.",
                _CHOSEN,
                height=16,
            )
        ],
        collapsed=True,
    )
