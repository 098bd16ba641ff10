"""SLOs: what was promised, how fast the error budget burns, and what is left of it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.links import OF_CELL, to_dashboard
from deskwatch.dashboards.notes import note
from deskwatch.dashboards.panels import bars, course, figure
from deskwatch.dashboards.promql import or_none, series
from deskwatch.dashboards.tables import Column, Label, joined, rows
from deskwatch.dashboards.variables import BOT_OR_NONE, matching

_NAME = "{{slo}} {{bot}}"
_OBJECTIVE = series("bot_slo:objective:ratio", BOT_OR_NONE)
_ERROR = series("bot_slo:sli_error:ratio_rate5m", BOT_OR_NONE)
_LEFT = series("bot_slo:error_budget_remaining:ratio30d", BOT_OR_NONE)
_FIRING = matching('alertname=~".+BudgetBurn"', 'alertstate="firing"', BOT_OR_NONE)
_LEFT_STEPS = ((None, "text"), (-1e9, "red"), (0, "orange"), (0.25, "green"))
_BURN_STEPS = ((None, "text"), (0, "green"), (1, "yellow"), (3, "orange"), (6, "red"))
_WINDOWS = {"page": (("5m", "1h", 14.4), ("30m", "6h", 6)), "ticket": (("2h", "1d", 3), ("6h", "3d", 1))}
"""Short and long window, and the burn rate above which both of them make an alert fire."""
_MEANING = """
| Objective | A request is | It is bad when | Where to look |
| --- | --- | --- | --- |
| `order_success` | an order submitted | it was refused, not as `reverted` | [Execution](/d/deskwatch-execution?$T) |
| `execution_latency` | an order that was filled | it took too long | [Execution](/d/deskwatch-execution?$T) |
| `data_freshness` | a minute of a running bot | the newest price that it knew was old | [Bot](/d/deskwatch-bot?$T) |
| `command_confirmation` | a command accepted | its effect was not seen in time | [Control](/d/deskwatch-control?$T) |
| `sidecar_availability` | a minute | Prometheus could not scrape the sidecar | [Itself](/d/deskwatch-self?$T) |

An objective of 99 % leaves an **error budget** of 1 % of 30 days. A **burn rate** of 1 uses it up in just 30 days, one
of 14.4 in two days. An alert fires when a long and a short window both burn too fast, so that it ends soon after the
trouble does. What is promised, and how many requests an alert needs: `prometheus/objectives.yml`.
"""


def slo() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "slo",
        "SLOs",
        "For whoever weighs new features against repairs: what was promised, how much of what may go wrong has gone "
        "wrong, and how fast the rest is being used up.",
        since="now-24h",
    )
    section(dashboard, 100, "Now", _now(), [_table(5)], [_alerts(6)])
    section(dashboard, 200, "Error budget", _budget())
    section(dashboard, 300, "Burn rate", *_burn())
    section(dashboard, 400, "Behind it", _behind())
    section(
        dashboard,
        500,
        "What the objectives mean",
        [note(51, "Objectives, budgets and burn rates", _MEANING.replace("$T", "${__url_time_range}"), height=9)],
    )
    return dashboard


def _rate(window: str) -> str:
    """How many times faster than allowed errors happened over a window."""
    error = series(f"bot_slo:sli_error:ratio_rate{window}", BOT_OR_NONE)
    return f"max by (slo, bot) ({error}) / on (slo, bot) (1 - max by (slo, bot) ({_OBJECTIVE}))"


def _burning(window: str) -> str:
    """The same of what burns at all."""
    return or_none(f"({_rate(window)}) > 0", _OBJECTIVE, "slo")


def _now() -> Line:
    return [
        figure(
            1,
            "Least budget left",
            "What is left of the error budget of 30 days for the objective that has least. Below 0 the promise is "
            "broken: stop what is new and repair.",
            (f"min({_LEFT})", "left"),
            unit="percentunit",
            span=6,
            steps=_LEFT_STEPS,
            no_value="no requests yet",
        ),
        figure(
            2,
            "Overspent",
            "How many objectives have used up more than their budget of 30 days.",
            (f"count({_LEFT} < 0) or vector(0)", "overspent"),
            unit="none",
            span=6,
            steps=((None, "green"), (1, "red")),
        ),
        figure(
            3,
            "Fastest burn",
            "The highest burn rate of the last hour. At 1 the budget lasts 30 days; from 14.4 on it is gone in two.",
            (f"max({series('bot_slo:burn_rate:ratio1h', BOT_OR_NONE)})", "burn rate"),
            unit="none",
            span=6,
            steps=_BURN_STEPS,
            decimals=1,
            no_value="no requests yet",
        ),
        figure(
            4,
            "Alerts firing",
            "Alerts on burn rates that fire now. They are listed below.",
            (f"count({series('ALERTS', _FIRING)}) or vector(0)", "firing"),
            unit="none",
            span=6,
            steps=((None, "green"), (1, "red")),
        ),
    ]


def _table(panel_id: int) -> table.Panel:
    def of(name: str) -> str:
        return f"max by (slo, bot) ({series(name, BOT_OR_NONE)})"

    return joined(
        panel_id,
        "Objectives",
        "Each objective of each bot (the sidecar's has none): promised, kept, and what is left to go wrong. Least left "
        "first. A ratio of few requests says little: look at how many there were.",
        {
            "slo": Label(title="Objective", width=190),
            "bot": Label(title="Bot", link=to_dashboard("bot", "This bot", bot=OF_CELL)),
        },
        [
            Column(title="Promised", expr=of("bot_slo:objective:ratio"), unit="percentunit", decimals=2),
            Column(title="Bad, an hour", expr=of("bot_slo:sli_error:ratio_rate1h"), unit="percentunit", decimals=2),
            Column(title="Bad, 30 days", expr=of("bot_slo:sli_error:ratio_rate30d"), unit="percentunit", decimals=2),
            Column(title="Requests, an hour", expr=of("bot_slo:requests:increase1h"), unit="short", decimals=0),
            Column(title="Burn rate, an hour", expr=of("bot_slo:burn_rate:ratio1h"), decimals=1, steps=_BURN_STEPS),
            Column(title="Burn rate, 6 hours", expr=_rate("6h"), decimals=1, steps=_BURN_STEPS),
            Column(
                title="Budget left",
                expr=of("bot_slo:error_budget_remaining:ratio30d"),
                unit="percentunit",
                decimals=1,
                steps=_LEFT_STEPS,
            ),
        ],
        sort_by="Budget left",
        falling=False,
        height=10,
        no_value="-",
    )


def _alerts(panel_id: int) -> table.Panel:
    return rows(
        panel_id,
        "Burn alerts firing",
        "Critical: the budget is gone within days, somebody is paged. Warning: it will not last 30 days. Each runbook "
        "lies in docs/runbooks under the alert's name in small letters.",
        (series("ALERTS", _FIRING), "{{alertname}}"),
        unit="none",
        hidden=("Value", "alertstate", "job", "instance"),
        renamed={"alertname": "Alert", "bot": "Bot", "severity": "Severity", "slo": "Objective"},
        span=24,
        height=6,
        no_value="none fires",
    )


def _budget() -> Line:
    return [
        bars(
            11,
            "Error budget left",
            "Of 30 days; 100 % is untouched, 0 used up. What is left may be spent on risks; what is overspent is paid "
            "for with repairs.",
            [(f"max by (slo, bot) ({_LEFT})", _NAME)],
            unit="percentunit",
            steps=_LEFT_STEPS,
            most=1,
            decimals=1,
            height=11,
        ),
        course(
            12,
            "Error budget left, over time",
            "A step down is an outage; a slope is a steady fault. It recovers by itself as bad hours leave the 30 "
            "days. What is overspent by more than a whole budget is drawn at -100 %.",
            [(f"clamp_min(max by (slo, bot) ({_LEFT}), -1)", _NAME)],
            unit="percentunit",
            span=12,
            height=11,
            steps=((None, "red"), (0, "green")),
            most=1,
        ),
    ]


def _burn() -> list[Line]:
    """A panel for each pair of windows, with the line above which both of them make an alert fire."""
    lines: list[Line] = []
    panel_id = 21
    for urgency, pairs in _WINDOWS.items():
        line = []
        for short, long, factor in pairs:
            line.append(
                course(
                    panel_id,
                    f"Burn rate over {short} and {long}",
                    f"How many times faster than allowed errors happen, where they do. Where both windows of one "
                    f"objective are above "
                    f"{factor:g} (the dashed line), and there were enough requests, it makes a {urgency}.",
                    [(_burning(short), f"{_NAME} {short}"), (_burning(long), f"{_NAME} {long}")],
                    unit="none",
                    span=12,
                    steps=((None, "green"), (factor, "red")),
                    least=0,
                )
            )
            panel_id += 1
        lines.append(line)
    return lines


def _behind() -> Line:
    return [
        course(
            31,
            "Bad of all, over 5 minutes",
            "The ratio that all of the above is made of; objectives with nothing bad are left out.",
            [(or_none(f"max by (slo, bot) ({_ERROR}) > 0", _OBJECTIVE, "slo"), _NAME)],
            unit="percentunit",
            span=12,
            least=0,
        ),
        course(
            32,
            "Requests in an hour",
            "How many orders, commands, moments or scrapes the ratios are of. Below what the objectives file asks for, "
            "no alert fires: a single failure of a quiet bot is no trend.",
            [(f"max by (slo, bot) ({series('bot_slo:requests:increase1h', BOT_OR_NONE)})", _NAME)],
            unit="short",
            span=12,
            least=0,
        ),
    ]
