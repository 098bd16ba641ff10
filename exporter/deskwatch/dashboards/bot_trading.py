"""How a bot trades: its trades, prices, orders and holdings, as sections of its dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from deskwatch.dashboards.counts import total
from deskwatch.dashboards.expressions import (
    DISTANCE_STEPS,
    FAILED_PART,
    OUTCOMES,
    RESULT_STEPS,
    limit,
)
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.links import OF_SERIES, to_dashboard
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.promql import SHOWN, grown, quantile
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT, STRATEGY, SYMBOL, VENUE, matching

PRICES = 61
EACH_PRICE = 141
"""Ids of the panels of prices, which alone have marks of trades."""
OF_POSITIONS = matching(BOT, STRATEGY, VENUE, SYMBOL)
_OF_PLACES = matching(BOT, VENUE, SYMBOL)
_OF_TRADES = matching(BOT, STRATEGY, SYMBOL)
_OF_STRATEGIES = matching(BOT, STRATEGY)
_OF_VENUES = matching(BOT, STRATEGY, VENUE)
_TO_EXECUTION = to_dashboard("execution", "Execution of this bot", bot=OF_SERIES)


def _in_range(metric: str, *by: str) -> str:
    return grown(metric, *by, where=_OF_TRADES, window=SHOWN)


def trades(dashboard: Dashboard) -> None:
    """Positions closed: how many, how well."""
    closed = _in_range("tradebot_trades_closed_total", "bot")
    profit, loss = (_in_range(f"tradebot_{name}_total", "bot", "asset") for name in ("profit", "loss"))
    figures = [
        total(
            41,
            "Trades closed",
            "Positions closed in the time range.",
            (closed, "{{bot}}"),
            unit="locale",
            decimals=0,
            no_value="no trades",
        ),
        total(
            42,
            "Win rate",
            "Which part of them brought a profit. It says little without the profit factor: many small wins and one "
            "large loss look good here.",
            (f"{_in_range('tradebot_trades_won_total', 'bot')} / ({closed} > 0)", "{{bot}}"),
            unit="percentunit",
            decimals=0,
            no_value="no trades",
        ),
        total(
            43,
            "Profit factor",
            "Profit of the trades won over loss of the trades lost, in the time range. Above 1 it earns.",
            (f"{profit} / ({loss} > 0)", "{{bot}} {{asset}}"),
            unit="none",
            decimals=2,
            steps=((None, "text"), (0, "red"), (1, "green")),
            no_value="no loss",
        ),
        total(
            44,
            "Average trade",
            "Result of the time range over its trades: what one trade brings, net of costs.",
            (f"({profit} - {loss}) / on (bot) group_left () ({closed} > 0)", "{{bot}} {{asset}}"),
            unit="short",
            decimals=2,
            steps=RESULT_STEPS,
            no_value="no trades",
        ),
        figure(
            45,
            "Best trade",
            "Largest profit of one trade since its journal began.",
            (f"max by (bot, asset) (tradebot_best_trade{{{_OF_TRADES}}})", "{{bot}} {{asset}}"),
            unit="locale",
            decimals=2,
            no_value="no trades",
            graph=False,
        ),
        figure(
            46,
            "Worst trade",
            "Largest loss of one trade since its journal began. Far beyond an average loss: a stop did not hold.",
            (f"min by (bot, asset) (tradebot_worst_trade{{{_OF_TRADES}}})", "{{bot}} {{asset}}"),
            unit="locale",
            decimals=2,
            no_value="no trades",
            graph=False,
        ),
        figure(
            47,
            "Losing streak",
            "Trades lost one after the other until now. Longer than its win rate makes likely: the market is no longer "
            "the one that it was made for. BotLosingStreak warns from 10 on, by default.",
            (f"max by (bot) (tradebot_losing_streak{{{matching(BOT, STRATEGY)}}})", "{{bot}}"),
            unit="none",
            steps=((None, "green"), (5, "orange"), (10, "red")),
            no_value="no trades",
            graph=False,
        ),
        total(
            48,
            "Holding time, median",
            "From opening a position to closing it, in the time range: half of the trades took longer.",
            (
                quantile(
                    0.5, "tradebot_trade_holding_seconds", "bot", where=matching(BOT, STRATEGY), window="$__range"
                ),
                "{{bot}}",
            ),
            unit="s",
            no_value="no trades",
        ),
    ]
    won_and_lost = course(
        49,
        "Trades won and lost",
        "Positions closed in each interval with a profit and with a loss.",
        [
            (f"sum by (bot) (increase(tradebot_trades_won_total{{{_OF_TRADES}}}[$__rate_interval]))", "{{bot}} won"),
            (f"sum by (bot) (increase(tradebot_trades_lost_total{{{_OF_TRADES}}}[$__rate_interval]))", "{{bot}} lost"),
        ],
        unit="none",
        colours={"won$": "green", "lost$": "red"},
        least=0,
    )
    by = ("bot", "strategy", "symbol")
    each = joined(
        50,
        "By strategy and symbol",
        "What the trades of the time range brought, worst first: where to look when the sum is red.",
        {
            "bot": Label(title="Bot"),
            "strategy": Label(title="Strategy"),
            "symbol": Label(title="Symbol"),
            "asset": Label(title="Asset"),
        },
        [
            Column(title="Trades", expr=_in_range("tradebot_trades_closed_total", *by), unit="locale", decimals=0),
            Column(
                title="Won",
                expr=f"{_in_range('tradebot_trades_won_total', *by)} "
                f"/ ({_in_range('tradebot_trades_closed_total', *by)} > 0)",
                unit="percentunit",
                decimals=0,
            ),
            Column(
                title="Result",
                expr=f"{_in_range('tradebot_profit_total', *by, 'asset')} "
                f"- {_in_range('tradebot_loss_total', *by, 'asset')}",
                unit="locale",
                decimals=2,
                steps=RESULT_STEPS,
            ),
            Column(
                title="Costs within",
                expr=_in_range("tradebot_trade_costs_total", *by, "asset"),
                unit="locale",
                decimals=2,
            ),
        ],
        sort_by="Result",
        falling=False,
        span=16,
        no_value="-",
    )
    section(dashboard, 40, "Trades", figures, [won_and_lost, each])


def prices(dashboard: Dashboard) -> None:
    """How prices moved, with marks where positions were opened and closed."""
    price = f"tradebot_price{{{_OF_PLACES}}}"
    first = f"last_over_time({price}[$__range] @ end()) - delta({price}[$__range] @ end())"
    by = "max by (bot, venue, symbol)"
    panel = course(
        PRICES,
        "Prices, change in the time range, and trades",
        "By which part each price changed since the time range began: all symbols on one axis. Marks show positions "
        "opened and closed, and fills if switched on above. A venue apart from the others is the spread that an "
        "arbitrage lives of, or a stale price. The prices themselves, with entries, are at the end of the page.",
        [(f"{by} ({price}) / {by} ({price} @ start() or {first}) - 1", "{{bot}} {{venue}} {{symbol}}")],
        unit="percentunit",
        span=24,
        height=9,
    )
    section(dashboard, 60, "Prices and trades", [panel])


def each_price(dashboard: Dashboard) -> None:
    """A panel for each symbol, opened by a click: a bot may watch many."""
    panel = course(
        EACH_PRICE,
        "Price of $symbol",
        "Newest price at each venue, in the quote asset; dashed where open positions were entered. Marks show "
        "positions opened and closed. Choose symbols above.",
        [
            (f"max by (bot, venue, symbol) (tradebot_price{{{_OF_PLACES}}})", "{{bot}} {{venue}} {{symbol}}"),
            (
                f"avg by (bot, venue, symbol, side) (tradebot_position_entry_price{{{OF_POSITIONS}}})",
                "{{bot}} {{venue}} {{symbol}} entered {{side}}",
            ),
        ],
        unit="none",
        span=24,
        height=9,
    )
    dashes = DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 6]})
    panel.override_by_regexp("/ entered /", [dashes]).repeat("symbol").repeat_direction("h").max_per_row(2)
    section(dashboard, 140, "Price of each symbol, with entries", [panel], collapsed=True)


def orders(dashboard: Dashboard) -> None:
    """What became of orders; Execution tells more."""
    section(
        dashboard,
        80,
        "Orders",
        [
            course(
                81,
                "Orders by outcome",
                "Orders in each second. Submitted far above filled for long: they fail, expire or wait.",
                [
                    (
                        f"sum by (bot) (rate(tradebot_orders_{name}_total{{{OF_POSITIONS}}}[$__rate_interval]))",
                        f"{{{{bot}}}} {name}",
                    )
                    for name in OUTCOMES
                ],
                unit="ops",
                colours={f"{name}$": colour for name, colour in OUTCOMES.items()},
                least=0,
                link=_TO_EXECUTION,
            ),
            course(
                82,
                "Failed of submitted, in 10 minutes",
                "Which part of the orders venues or chains refused. Above the dashed line BotOrderFailures warns "
                "(runbook: docs/runbooks/botorderfailures.md).",
                [(FAILED_PART, "{{bot}}")],
                unit="percentunit",
                limits=[limit("order_failure_ratio")],
                least=0,
                link=_TO_EXECUTION,
            ),
            course(
                83,
                "Order latency",
                "From submitting to the final fill: what half and 95 of 100 orders stay below. Dots are single orders "
                "with a trace; a click on one leads to its lines. Above the dashed line BotOrdersSlow fires.",
                [
                    (
                        quantile(0.5, "tradebot_order_latency_seconds", "bot", where=_OF_VENUES),
                        "{{bot}} median",
                    ),
                    (
                        quantile(0.95, "tradebot_order_latency_seconds", "bot", where=_OF_VENUES),
                        "{{bot}} p95",
                    ),
                ],
                unit="s",
                limits=[limit("order_latency_p95_seconds")],
                least=0,
                exemplars=True,
                link=_TO_EXECUTION,
            ),
        ],
    )


def holdings(dashboard: Dashboard) -> None:
    """Open positions and balances."""
    by = "bot, venue, symbol, side"
    count = f"sum by ({by}) (tradebot_positions_open{{{OF_POSITIONS}}}) > 0"
    positions = joined(
        101,
        "Open positions",
        "What is at stake now; the largest open loss comes first. Prices are in the quote asset, the "
        "open result is in the position's. Close one on the live page.",
        {name: Label(title=name.title()) for name in ("bot", "venue", "symbol", "side")},
        [
            Column(title="Positions", expr=count),
            Column(
                title="Size", expr=f"sum by ({by}) (tradebot_position_quantity{{{OF_POSITIONS}}}) > 0", unit="locale"
            ),
            Column(
                title="Entered at", expr=f"avg by ({by}) (tradebot_position_entry_price{{{OF_POSITIONS}}})", decimals=2
            ),
            Column(title="Price", expr=f"avg by ({by}) (tradebot_position_mark_price{{{OF_POSITIONS}}})", decimals=2),
            Column(
                title="Open result",
                expr=f"sum by ({by}) (tradebot_unrealized_pnl{{{OF_POSITIONS}}}) and ({count})",
                unit="locale",
                decimals=2,
                steps=RESULT_STEPS,
            ),
            Column(title="Leverage", expr=f"max by ({by}) (tradebot_position_leverage{{{OF_POSITIONS}}})", decimals=1),
            Column(
                title="To liquidation",
                expr=f"min by ({by}) (tradebot_position_liquidation_distance_ratio{{{OF_POSITIONS}}})",
                unit="percentunit",
                decimals=1,
                steps=DISTANCE_STEPS,
            ),
        ],
        sort_by="Open result",
        falling=False,
        span=15,
        no_value="-",
    )
    place = matching(BOT, VENUE)
    balances = joined(
        102,
        "Balances",
        "What it holds at each venue, and which part is not locked in orders or margin. Nothing free: it can't open "
        "anything there.",
        {name: Label(title=name.title()) for name in ("bot", "venue", "asset")},
        [
            Column(
                title="All", expr=f"sum by (bot, venue, asset) (tradebot_balance{{{place}}})", unit="locale", decimals=3
            ),
            Column(
                title="Free",
                expr=f"sum by (bot, venue, asset) (tradebot_balance_free{{{place}}})",
                unit="locale",
                decimals=3,
            ),
        ],
        sort_by="Venue",
        falling=False,
        span=9,
        no_value="-",
    )
    section(dashboard, 100, "Holdings", [positions, balances])
