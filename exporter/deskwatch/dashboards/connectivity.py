"""The ways to venues and nodes, as sections of Execution: how each venue serves, and whether its connections hold."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards.expressions import FAILURE_STEPS, LATENCY_STEPS
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.links import OF_CELL, to_dashboard
from deskwatch.dashboards.panels import course, history
from deskwatch.dashboards.promql import increase, limit, part, quantile
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT, VENUE, matching

_OF_VENUES = matching(BOT, VENUE)
_UP = {0: ("down", "red"), 1: ("up", "green")}
_BY = ("bot", "venue")


def _part(failures: str, of: str, window: str) -> str:
    """Failures of attempts, 0 where none failed, nothing where none was attempted."""
    return part(*(increase(one, *_BY, where=_OF_VENUES, window=window) for one in (failures, of)))


def venues(dashboard: Dashboard) -> None:
    """One row for each venue of each bot."""
    table = joined(
        81,
        "Venues",
        "How each venue served each bot in the time range; the one that refuses most comes first. Trade less where "
        "orders fail or answers are slow, and tell the venue.",
        {
            "bot": Label(title="Bot", link=to_dashboard("bot", "This bot", bot=OF_CELL)),
            "venue": Label(title="Venue"),
        },
        [
            Column(
                title="Orders",
                expr=increase("tradebot_orders_submitted_total", *_BY, where=_OF_VENUES, window="$__range"),
                unit="locale",
                decimals=0,
            ),
            Column(
                title="Orders failed",
                expr=_part("tradebot_orders_failed_total", "tradebot_orders_submitted_total", "$__range"),
                unit="percentunit",
                decimals=1,
                steps=FAILURE_STEPS,
            ),
            Column(
                title="Answer p95",
                expr=quantile(0.95, "tradebot_order_acknowledge_seconds", *_BY, where=_OF_VENUES, window="$__range"),
                unit="s",
                steps=LATENCY_STEPS,
            ),
            Column(
                title="Fill p95",
                expr=quantile(0.95, "tradebot_order_latency_seconds", *_BY, where=_OF_VENUES, window="$__range"),
                unit="s",
                steps=LATENCY_STEPS,
            ),
            Column(
                title="Requests",
                expr=increase("tradebot_requests_total", *_BY, where=_OF_VENUES, window="$__range"),
                unit="locale",
                decimals=0,
            ),
            Column(
                title="Requests failed",
                expr=_part("tradebot_request_failures_total", "tradebot_requests_total", "$__range"),
                unit="percentunit",
                decimals=1,
                steps=FAILURE_STEPS,
            ),
            Column(
                title="Request p95",
                expr=quantile(0.95, "tradebot_request_latency_seconds", *_BY, where=_OF_VENUES, window="$__range"),
                unit="s",
                steps=LATENCY_STEPS,
            ),
            Column(
                title="Connections",
                expr=f"min by ({', '.join(_BY)}) (tradebot_connection_up{{{_OF_VENUES}}})",
                names=_UP,
            ),
            Column(
                title="Losses",
                expr=increase("tradebot_connection_losses_total", *_BY, where=_OF_VENUES, window="$__range"),
                unit="locale",
                decimals=0,
            ),
            Column(
                title="Oldest price",
                expr=f"max by ({', '.join(_BY)}) (time() - tradebot_price_timestamp_seconds{{{_OF_VENUES}}})",
                unit="s",
                decimals=0,
            ),
        ],
        sort_by="Orders failed",
        no_value="-",
    )
    section(dashboard, 80, "Venues", [table])


def ways(dashboard: Dashboard) -> None:
    """Connections and requests over time."""
    failed = f"increase(tradebot_request_failures_by_reason_total{{{_OF_VENUES}}}[$__rate_interval])"
    section(
        dashboard,
        100,
        "Connectivity",
        [
            history(
                101,
                "Connections",
                "Whether each connection was up at 50 moments of the time range. One that flickers is worse than one "
                "that is down: the bot keeps trying.",
                (f"min by (bot, venue, kind) (tradebot_connection_up{{{_OF_VENUES}}})", "{{bot}} {{venue}} {{kind}}"),
                names=_UP,
            ),
            course(
                102,
                "Age of prices",
                "Time since the newest price of each symbol at each venue. A bot that trades on old prices trades with "
                "those who know better. Above the dashed line BotPriceStale fires (runbook: "
                "docs/runbooks/botpricestale.md).",
                [
                    (
                        f"time() - max by (bot, venue, symbol) (tradebot_price_timestamp_seconds{{{_OF_VENUES}}})",
                        "{{bot}} {{venue}} {{symbol}}",
                    )
                ],
                unit="s",
                span=12,
                limits=[limit("price_stale_seconds", "stale from")],
                least=0,
            ),
        ],
        [
            course(
                103,
                "Request latency, p95",
                "What 95 of 100 requests to each venue or node stay below, answered or failed.",
                [(quantile(0.95, "tradebot_request_latency_seconds", *_BY, where=_OF_VENUES), "{{bot}} {{venue}}")],
                unit="s",
                least=0,
            ),
            course(
                104,
                "Requests failed",
                "Which part of the requests of each interval failed. Above the dashed line, for 10 minutes, "
                "BotRequestsFailing warns.",
                [
                    (
                        _part("tradebot_request_failures_total", "tradebot_requests_total", "$__rate_interval"),
                        "{{bot}} {{venue}}",
                    )
                ],
                unit="percentunit",
                limits=[limit("request_failure_ratio", "warns")],
                least=0,
            ),
            course(
                105,
                "Requests failed, by reason",
                "Why requests failed, in each interval. A limit: ask less often. A timeout: the venue or the way "
                "to it is slow.",
                [(f"sum by (bot, venue, reason) ({failed})", "{{bot}} {{venue}} {{reason}}")],
                unit="none",
                least=0,
            ),
        ],
    )
