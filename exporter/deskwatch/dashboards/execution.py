"""Execution: how many opportunities become fills, how fast, what fails, and what it costs."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import connectivity, variables
from deskwatch.dashboards.counts import total
from deskwatch.dashboards.expressions import FAILURE_STEPS, LATENCY_STEPS, OUTCOMES
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.panels import bars, course, figure
from deskwatch.dashboards.promql import SHOWN, grown, limit, quantile
from deskwatch.dashboards.spread import distribution, heat
from deskwatch.dashboards.variables import BOT, STRATEGY, SYMBOL, VENUE, matching

_OF_ORDERS = matching(BOT, STRATEGY, VENUE, SYMBOL)
_OF_OPPORTUNITIES = matching(BOT, STRATEGY, SYMBOL)
_OF_SPEED = matching(STRATEGY, VENUE)
_FILL = 23
"""Id of the panel whose figures BotOrdersSlow looks at."""
_COST_STEPS = ((None, "green"), (0.001, "orange"), (0.005, "red"))


def execution() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "execution",
        "Execution",
        "From an opportunity to its fill: how many get there, how fast, what fails and why, what it costs, and "
        "whether the ways to the venues hold.",
        variables.strategy(),
        variables.venue(),
        variables.symbol(),
    )
    for part in (_funnel, _latency, _failures, _costs, connectivity.venues, connectivity.ways):
        part(dashboard)
    return dashboard


def _count(metric: str, matchers: str, *by: str) -> str:
    """How many in the time range."""
    return grown(metric, *by, where=matchers, window=SHOWN)


def _funnel(dashboard: Dashboard) -> None:
    found = _count("tradebot_opportunities_found_total", _OF_OPPORTUNITIES)
    taken = _count("tradebot_opportunities_taken_total", _OF_OPPORTUNITIES)
    submitted = _count("tradebot_orders_submitted_total", _OF_ORDERS)
    filled = _count("tradebot_orders_filled_total", _OF_ORDERS)
    failed = _count("tradebot_orders_failed_total", _OF_ORDERS)
    volume = _count("tradebot_volume_total", _OF_ORDERS, "asset")
    lost = _count("tradebot_slippage_lost_total", _OF_ORDERS, "asset")
    gained = _count("tradebot_slippage_gained_total", _OF_ORDERS, "asset")
    fees = _count("tradebot_fees_total", _OF_ORDERS, "asset")
    figures = [
        total(
            2,
            "Taken of found",
            "Which part of the opportunities of the time range an order came of. Low: the reasons below tell whether "
            "the bot is too slow, too careful or not allowed to.",
            (f"({taken} or vector(0)) / ({found} > 0)", "taken"),
            unit="percentunit",
            decimals=1,
            no_value="none found",
        ),
        total(
            3,
            "Filled of submitted",
            "Which part of the orders of the time range was filled completely. The rest failed, expired, was canceled "
            "or waits.",
            (f"({filled} or vector(0)) / ({submitted} > 0)", "filled"),
            unit="percentunit",
            decimals=1,
            no_value="no orders",
        ),
        total(
            4,
            "Failed of submitted",
            "Which part of the orders of the time range venues or chains refused. BotOrderFailures looks at each bot's "
            "last 10 minutes (runbook: docs/runbooks/botorderfailures.md).",
            (f"({failed} or vector(0)) / ({submitted} > 0)", "failed"),
            unit="percentunit",
            decimals=1,
            steps=FAILURE_STEPS,
            no_value="no orders",
        ),
        total(
            5,
            "Fill, p95",
            "From submitting an order to its final fill, over all bots chosen: what 95 of 100 orders of the time range "
            "stay below.",
            (
                quantile(0.95, "tradebot_order_latency_seconds", where=matching(BOT, _OF_SPEED), window="$__range"),
                "p95",
            ),
            unit="s",
            steps=LATENCY_STEPS,
            no_value="no fills",
        ),
        figure(
            6,
            "Open orders",
            "Orders submitted whose end was not told yet. Rising without end: the venue does not answer, or the bot "
            "does not listen.",
            (f"sum(tradebot_orders_open{{{_OF_ORDERS}}}) or vector(0)", "open"),
            unit="none",
        ),
        total(
            7,
            "Slippage of volume",
            "What worse prices than expected cost, less what better ones gave, as a part of what was traded. Above "
            "what an average trade brings, the bot works for others.",
            (f"({lost} - ({gained} or {lost} * 0)) / ({volume} > 0)", "{{asset}}"),
            unit="percentunit",
            decimals=3,
            steps=_COST_STEPS,
            no_value="none told",
        ),
        total(
            8,
            "Fees of volume",
            "Fees paid to venues in the asset that was traded in, as a part of what was traded. Fees in other assets "
            "are below.",
            (f"{fees} / ({volume} > 0)", "{{asset}}"),
            unit="percentunit",
            decimals=3,
            steps=_COST_STEPS,
            no_value="none told",
        ),
        figure(
            9,
            "Connections down",
            "Ways to venues and nodes that are down now; the last section names them.",
            (f"count(tradebot_connection_up{{{matching(BOT, VENUE)}}} == 0) or vector(0)", "down"),
            unit="none",
            steps=((None, "green"), (1, "red")),
        ),
    ]
    hunters = f"and on (bot, strategy) increase(tradebot_opportunities_found_total{{{_OF_OPPORTUNITIES}}}[$__range])"
    steps = [
        (f"sum(increase(tradebot_orders_{name}_total{{{_OF_ORDERS}}}[$__range]) {hunters})", name)
        for name in ("submitted", "filled")
    ]
    funnel = bars(
        10,
        "From opportunity to fill",
        "How many of the time range got how far, of strategies that tell their opportunities. The largest step down is "
        "where to look. Orders may outnumber opportunities taken: one of them may need several orders.",
        [(found, "opportunities found"), (taken, "taken"), *((expr, f"orders {name}") for expr, name in steps)],
        unit="locale",
        span=8,
        decimals=0,
    )
    missed = bars(
        11,
        "Opportunities missed, by reason",
        "Why opportunities of the time range were not taken, or were gone when taken. Much 'gone': too slow. Much "
        "'unprofitable': costs eat the spread. Much 'standby': it is not allowed to.",
        [(_count("tradebot_opportunities_missed_total", _OF_OPPORTUNITIES, "reason") + " > 0", "{{reason}}")],
        unit="locale",
        span=8,
        decimals=0,
    )
    outcomes = course(
        12,
        "Orders by outcome",
        "Orders in each second. Submitted far above filled for long: they fail, expire or wait.",
        [(f"sum(rate(tradebot_orders_{name}_total{{{_OF_ORDERS}}}[$__rate_interval]))", name) for name in OUTCOMES],
        unit="ops",
        colours={f"^{name}$": colour for name, colour in OUTCOMES.items()},
        least=0,
    )
    section(dashboard, 1, "From opportunity to fill", figures, [funnel, missed, outcomes])


def _latency(dashboard: Dashboard) -> None:
    parts = (
        (
            21,
            "Decision to submission",
            "tradebot_order_decision_seconds",
            _OF_SPEED,
            "The bot's own share: from deciding to sending. It rises when the bot computes too much at once.",
        ),
        (
            22,
            "Submission to the venue's word",
            "tradebot_order_acknowledge_seconds",
            VENUE,
            "The way to the venue and its first answer. It rises with the network, or when the venue is under load.",
        ),
        (
            _FILL,
            "Submission to the final fill",
            "tradebot_order_latency_seconds",
            _OF_SPEED,
            "All of it: with limit orders mostly the market's patience. Beyond the dashed line BotOrdersSlow fires.",
        ),
    )
    courses = [
        course(
            panel_id,
            title,
            f"{words} What half, 95 and 99 of 100 orders stay below, over all bots chosen.",
            [
                (quantile(0.5, metric, where=matching(BOT, matchers)), "median"),
                (quantile(0.95, metric, where=matching(BOT, matchers)), "p95"),
                (quantile(0.99, metric, where=matching(BOT, matchers)), "p99"),
            ],
            unit="s",
            least=0,
            limits=[limit("order_latency_p95_seconds", "p95 slow from")] if panel_id == _FILL else [],
        )
        for panel_id, title, metric, matchers, words in parts
    ]
    buckets = "sum by (le) (increase({}_bucket{{{}}}[$__rate_interval]))"
    heats = [
        heat(
            24,
            "Fills, by latency",
            "How many orders took how long from submitting to the final fill, in each interval. Two bands: two kinds "
            "of orders, or two venues; choose one above. Dots are single orders with a trace: a click leads to its "
            "lines.",
            buckets.format("tradebot_order_latency_seconds", matching(BOT, _OF_SPEED)),
            unit="s",
        ),
        heat(
            25,
            "Answers, by latency",
            "How many orders the venues acknowledged how fast, in each interval. A band that moves up is a venue that "
            "slows down.",
            buckets.format("tradebot_order_acknowledge_seconds", matching(BOT, VENUE)),
            unit="s",
        ),
    ]
    section(dashboard, 20, "Latency", courses, heats)


def _failures(dashboard: Dashboard) -> None:
    failed = "tradebot_orders_failed_total"
    section(
        dashboard,
        40,
        "Failures",
        [
            course(
                41,
                "Failures by reason",
                "Orders refused in each interval, in the venues' or the chain's words. One reason alone: look it up at "
                "the venue. Many reasons: look at the connections below.",
                [(grown(failed, "reason", where=_OF_ORDERS), "{{reason}}")],
                unit="none",
                least=0,
            ),
            course(
                42,
                "Failures by venue",
                "Orders refused in each interval. One venue alone: it is there; all: it is the bot.",
                [(grown(failed, "bot", "venue", where=_OF_ORDERS), "{{bot}} {{venue}}")],
                unit="none",
                least=0,
            ),
            bars(
                43,
                "Failures by symbol",
                "Orders refused in the time range. One symbol alone: its limits, its tick size, its liquidity.",
                [(_count(failed, _OF_ORDERS, "bot", "symbol") + " > 0", "{{bot}} {{symbol}}")],
                unit="locale",
                span=8,
                decimals=0,
            ),
        ],
    )


def _costs(dashboard: Dashboard) -> None:
    hourly = "sum by (bot, asset) (rate({}{{{}}}[$__rate_interval])) * 3600"
    section(
        dashboard,
        60,
        "Costs",
        [
            distribution(
                61,
                "Slippage of the fills",
                "How much worse than expected the fills of the time range were, 0 where they were better; each bar "
                "counts fills up to its bound, as a part of the price. A long tail: orders are too large for the book.",
                f"sum by (le) (increase(tradebot_slippage_ratio_bucket{{{matching(BOT, _OF_SPEED)}}}[$__range]))",
                unit="locale",
                span=8,
            ),
            course(
                62,
                "Slippage and fees per hour",
                "What worse prices than expected cost, and the fees paid, at the pace of each interval, in the asset "
                "named. More than the profit of the same time: trade less, or as a maker.",
                [
                    (hourly.format("tradebot_slippage_lost_total", _OF_ORDERS), "{{bot}} slippage {{asset}}"),
                    (hourly.format("tradebot_fees_total", _OF_ORDERS), "{{bot}} fees {{asset}}"),
                    (hourly.format("tradebot_rebates_total", _OF_ORDERS), "{{bot}} rebates {{asset}}"),
                ],
                unit="short",
                least=0,
            ),
            course(
                63,
                "Maker and taker",
                "Which part of the fills that told waited in the book (maker) or took from it (taker). Takers pay "
                "more.",
                [
                    (
                        f"sum by (kind) (rate(tradebot_fills_by_liquidity_total{{{_OF_ORDERS}}}[$__rate_interval])) "  # noqa: ISC004  one expression, in a pair with its legend
                        "/ on () group_left () "
                        f"(sum(rate(tradebot_fills_by_liquidity_total{{{_OF_ORDERS}}}[$__rate_interval])) > 0)",
                        "{{kind}}",
                    )
                ],
                unit="percentunit",
                colours={"^maker$": "green", "^taker$": "orange"},
                stacked=True,
                least=0,
                most=1,
            ),
        ],
    )
