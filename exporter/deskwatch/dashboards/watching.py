"""Sources: whether what they watch answers, and how they fare with it."""

from __future__ import annotations

from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.promql import increase, or_none, rate, series
from deskwatch.dashboards.tables import Column, Label, joined

_UP = {0: ("away", "red"), 1: ("answers", "green")}


def sources() -> Line:
    """By bot and kind of source."""
    return [
        joined(
            81,
            "Sources",
            "Each bot that a source watches, as it writes no journal itself. One that is away may trade on, unseen; "
            "what happened meanwhile is told when it answers again. `deskwatch doctor` says in words what is wrong.",
            {"bot": Label(title="Bot", width=110), "kind": Label(title="Kind", width=90)},
            [
                Column(
                    title="State",
                    width=90,
                    expr=f"min by (bot, kind) ({series('deskwatch_source_up')})",
                    names=_UP,
                ),
                Column(
                    title="Last answer",
                    width=100,
                    expr=f"time() - max by (bot, kind) ({series('deskwatch_source_last_answer_timestamp_seconds')})",
                    unit="s",
                    decimals=0,
                ),
                Column(
                    title="It took",
                    width=90,
                    expr=f"max by (bot, kind) ({series('deskwatch_source_latency_seconds')})",
                    unit="s",
                ),
                Column(
                    title="Requests/s",
                    width=90,
                    expr=rate("deskwatch_source_requests_total", "bot", "kind"),
                    unit="reqps",
                    decimals=2,
                ),
                Column(
                    title="Begun again, 1 h",
                    width=110,
                    expr=increase("deskwatch_source_restarts_total", "bot", "kind", window="1h"),
                    decimals=0,
                ),
            ],
            sort_by="Bot",
            falling=False,
            span=16,
            no_value="-",
        ),
        counts(
            82,
            "Requests of sources that failed",
            "In each interval, by bot and reason. A few are any network's; a line that lasts is a peer that is away, "
            "slow, or refuses the password.",
            [
                (
                    or_none(
                        increase("deskwatch_source_request_failures_total", "bot", "kind", "reason"),
                        series("deskwatch_source_up"),
                        "reason",
                    ),
                    "{{bot}} {{kind}} {{reason}}",
                )
            ],
        ),
    ]
