"""The overview: who is up, in which mode, making or losing money, how fast, and on fire where."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards.expressions import (
    AGE,
    EQUITY,
    FAILED_PART,
    FIRING,
    RUNNING,
    at_begin,
)
from deskwatch.dashboards.fleet import BOT_LABEL, fleet
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.lines import activity, said
from deskwatch.dashboards.links import OF_CELL, OF_SERIES, to_dashboard
from deskwatch.dashboards.marks import FREQUENT, JOURNAL
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import grown, limit, quantile
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT

_TO_BOT = to_dashboard("bot", "This bot", bot=OF_SERIES)
_TO_ORDERS = to_dashboard("execution", "Execution of this bot", bot=OF_SERIES)
_LATENCY = "tradebot_order_latency_seconds"


def overview() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "overview",
        "Overview",
        "All bots at a glance: who is up, in which mode, making or losing money, how fast, on fire where. "
        "A click on a bot leads to its own dashboard.",
    )
    for part in (fleet, _fire, _money, _orders, _now):
        part(dashboard)
    return dashboard


def _fire(dashboard: Dashboard) -> None:
    raised = (
        f"max by (bot, kind, symbol) (tradebot_risk_alert_timestamp_seconds{{{BOT}}} * 1000) "
        f"and max by (bot, kind, symbol) (tradebot_risk_alert{{{BOT}}} == 1)"
    )
    since = FIRING.replace('alertstate="firing", ', "").replace("ALERTS{", "ALERTS_FOR_STATE{")
    section(
        dashboard,
        20,
        "On fire",
        [
            joined(
                21,
                "Alerts firing",
                "Each alert that fires now, and since when its condition holds; critical ones come first. What to do "
                "is in docs/runbooks, in the file with its name in small letters.",
                {
                    "alertname": Label(title="Alert", width=290),
                    "severity": Label(title="Severity", width=90),
                    "bot": BOT_LABEL,
                    "venue": Label(title="Venue"),
                    "symbol": Label(title="Symbol"),
                },
                [
                    Column(
                        title="Since",
                        expr="max by (alertname, severity, bot, venue, symbol) "
                        f"({since} * 1000 and ignoring (alertstate) {FIRING})",
                        unit="dateTimeFromNow",
                    )
                ],
                sort_by="Severity",
                falling=False,
                span=14,
                no_value="-",
            ),
            joined(
                22,
                "The bots' own risk alerts",
                "Limits of their own that bots say are crossed now, and since when. Positions, funding and risk tells "
                "more.",
                {
                    "bot": Label(title="Bot", link=to_dashboard("risk", "Risk of this bot", bot=OF_CELL)),
                    "kind": Label(title="Limit"),
                    "symbol": Label(title="Symbol"),
                },
                [Column(title="Since", expr=raised, unit="dateTimeFromNow")],
                sort_by="Since",
                span=10,
                no_value="-",
            ),
        ],
        [
            course(
                23,
                "Errors",
                "Errors that the bots' own code reported in each interval. A step up after a start points to the new "
                "version; its lines are on the bot's dashboard.",
                [(grown("tradebot_errors_total", "bot"), "{{bot}}")],
                unit="none",
                span=12,
                least=0,
                link=_TO_BOT,
            ),
            course(
                24,
                "Age of the last event",
                "Time since each running bot's newest event. A heartbeat comes every 5 s; above the dashed line "
                "BotDown fires (runbook: docs/runbooks/botdown.md).",
                [(f"max by (bot) ({AGE} and {RUNNING})", "{{bot}}")],
                unit="s",
                span=12,
                limits=[limit("silence_seconds", "silent from")],
                least=0,
                link=_TO_BOT,
            ),
        ],
    )


def _money(dashboard: Dashboard) -> None:
    result = f"sum by (bot, asset) (tradebot_realized_pnl{{{BOT}}})"
    section(
        dashboard,
        40,
        "Money",
        [
            course(
                41,
                "Equity, change in the time range",
                "By which part each bot's worth changed since the time range began: comparable though their assets "
                "differ. A deposit or withdrawal moves it too. Its own dashboard shows the amounts.",
                [(f"{EQUITY} / {at_begin('bot:tradebot_equity:sum')} - 1", "{{bot}} {{asset}}")],
                unit="percentunit",
                link=_TO_BOT,
            ),
            course(
                42,
                "Realized result in the time range",
                "Profit less loss of the positions closed since the time range began, net of their costs. Each line in "
                "its own asset, named in the legend; assets are never added up.",
                [(f"{result} - {at_begin('tradebot_realized_pnl', from_nothing=True)}", "{{bot}} {{asset}}")],
                unit="short",
                link=_TO_BOT,
            ),
            course(
                43,
                "Drawdown",
                "Loss from the highest equity; deposits and withdrawals move that peak. Above the dashed lines "
                "BotDrawdown warns, then pages (the lowest threshold of the bots chosen counts here).",
                [(f"max by (bot, asset) (tradebot_drawdown_ratio{{{BOT}}})", "{{bot}} {{asset}}")],
                unit="percentunit",
                limits=[
                    limit("drawdown_warning_ratio", "warns"),
                    limit("drawdown_critical_ratio", "pages"),
                ],
                least=0,
                link=_TO_BOT,
            ),
        ],
    )


def _orders(dashboard: Dashboard) -> None:
    section(
        dashboard,
        60,
        "Orders",
        [
            course(
                61,
                "Orders submitted",
                "Orders sent to venues in each second. A bot that is active and sends none has found nothing, or "
                "can't: Execution shows where it ends.",
                [(f"sum by (bot) (rate(tradebot_orders_submitted_total{{{BOT}}}[$__rate_interval]))", "{{bot}}")],
                unit="ops",
                least=0,
                link=_TO_ORDERS,
            ),
            course(
                62,
                "Failed of submitted, in 10 minutes",
                "Which part of the orders venues or chains refused; nothing where none was submitted. Above the dashed "
                "line, and with some orders, BotOrderFailures warns (runbook: docs/runbooks/botorderfailures.md).",
                [(FAILED_PART, "{{bot}}")],
                unit="percentunit",
                limits=[limit("order_failure_ratio", "warns")],
                least=0,
                link=_TO_ORDERS,
            ),
            course(
                63,
                "Order latency, p95",
                "From submitting an order to its final fill: what 95 of 100 orders stay below. Dots are single orders "
                "with a trace; a click on one leads to its lines. Above the dashed line BotOrdersSlow fires.",
                [(quantile(0.95, _LATENCY, "bot"), "{{bot}}")],
                unit="s",
                limits=[limit("order_latency_p95_seconds", "slow from")],
                least=0,
                exemplars=True,
                link=_TO_ORDERS,
            ),
        ],
    )


def _now(dashboard: Dashboard) -> None:
    section(
        dashboard,
        80,
        "Now",
        [
            activity(
                81,
                "Activity",
                "What the bots did, as journaled: decisions, orders, positions, modes, errors. Observations that come "
                "many times a second are left out; the Activity journal has them all, with filters.",
                said(f"{JOURNAL} | type!~`{FREQUENT}`"),
            )
        ],
    )
