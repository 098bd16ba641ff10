"""One bot: what it does now, what it earned and lost, how it trades, what it holds, what it says."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import bot_trading, variables
from deskwatch.dashboards.expressions import (
    AGE,
    AGE_STEPS,
    BAD_FROM_ONE,
    DRAWDOWN_STEPS,
    EQUITY,
    FAILED_PART,
    FAILURE_STEPS,
    FIRING_BY_BOT,
    LEVEL_COLOURS,
    LIFE,
    MODES,
    RESULT,
    RESULT_STEPS,
    STATE,
    at_begin,
    limit,
    mode,
)
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.lines import activity, counted, said
from deskwatch.dashboards.links import OF_SERIES, to_dashboard
from deskwatch.dashboards.marks import FREQUENT, JOURNAL, from_journal
from deskwatch.dashboards.panels import course, figure, states
from deskwatch.dashboards.promql import grown
from deskwatch.dashboards.variables import BOT, STRATEGY, matching

_EQUITY = f"tradebot_equity{{{matching(BOT, STRATEGY)}}}"
_OPENED = "{{.bot}} opened {{.side}} {{.quantity}} {{.symbol}} at {{.entry_price}}, {{.venue}}"
_CLOSED = "{{.bot}} closed {{.symbol}}: {{.realized_pnl}} {{.asset}}{{if .reason}} ({{.reason}}){{end}}"
_FILLED = "{{.bot}} {{.side}} {{.quantity}} {{.symbol}} at {{.price}}, {{.venue}}"
_LOGGED = "{{.bot}} {{.level}} {{.name}}{{.component}}: {{.kind_extracted}} {{.message}}"
_WITH_TRADES = (bot_trading.PRICES, bot_trading.EACH_PRICE)
_OF_SYMBOLS = 'symbol=~"$symbol"'


def bot() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "bot",
        "Bot",
        "One bot: what it does now, what it earned and lost, how it trades, what it holds, what it says. "
        "Choose it above; with several chosen each figure says whose it is.",
        variables.strategy(),
        variables.venue(),
        variables.symbol(),
    )
    for part in (
        _now,
        _money,
        bot_trading.trades,
        bot_trading.prices,
        bot_trading.orders,
        bot_trading.holdings,
        _words,
        bot_trading.each_price,
    ):
        part(dashboard)
    spared = [one.id_val for one in dashboard.build().panels or [] if one.id_val and one.id_val not in _WITH_TRADES]
    dashboard.annotation(
        from_journal("Opened", "position_opened", _OPENED, "green", narrowed=_OF_SYMBOLS, spared=spared)
    )
    dashboard.annotation(
        from_journal("Closed", "position_closed", _CLOSED, "yellow", narrowed=_OF_SYMBOLS, spared=spared)
    )
    dashboard.annotation(
        from_journal("Fills", "order_filled", _FILLED, "text", narrowed=_OF_SYMBOLS, spared=spared, shown=False)
    )
    return dashboard


def _now(dashboard: Dashboard) -> None:
    figures = [
        figure(
            2,
            "State",
            "Up: it started and wrote something lately. Silent: it did not stop in good order, yet wrote nothing for "
            "longer than its threshold (runbook: docs/runbooks/botdown.md). Stopped: in good order.",
            (STATE, "{{bot}}"),
            unit="none",
            names=LIFE,
        ),
        figure(
            3,
            "Mode",
            "What it may do, by its own word: active trades; standby watches and may close; closing reduces to flat; "
            "halted sends nothing until a person re-arms it. Change it on the live page.",
            (mode(), "{{bot}}"),
            unit="none",
            names=MODES,
        ),
        figure(
            4,
            "Last event",
            "Age of its newest event. A heartbeat comes every 5 s; when it stopped in good order this grows.",
            (f"max by (bot) ({AGE})", "{{bot}}"),
            unit="s",
            steps=AGE_STEPS,
            decimals=0,
            graph=False,
        ),
        figure(
            5,
            "Equity",
            "Worth of all its holdings, in the asset that it is judged in.",
            (EQUITY, "{{bot}} {{asset}}"),
            unit="locale",
            decimals=2,
        ),
        figure(
            6,
            "Result, 24 h",
            "What it won or lost in the last 24 hours, realized and open. Red: it lost; far enough, and BotDailyLoss "
            "fires (runbook: docs/runbooks/botdailyloss.md).",
            (RESULT, "{{bot}} {{asset}}"),
            unit="locale",
            steps=RESULT_STEPS,
            decimals=2,
            no_value="no trades",
        ),
        figure(
            7,
            "Drawdown",
            "Loss from its highest equity. Colours at the defaults, 10 % and 20 %; its own thresholds are the lines "
            "below (runbook: docs/runbooks/botdrawdown.md).",
            (f"max by (bot, asset) (tradebot_drawdown_ratio{{{matching(BOT, STRATEGY)}}})", "{{bot}} {{asset}}"),
            unit="percentunit",
            steps=DRAWDOWN_STEPS,
            decimals=1,
        ),
        figure(
            8,
            "Orders failed, 10 min",
            "Which part of its orders venues or chains refused. Nothing where it sent none "
            "(runbook: docs/runbooks/botorderfailures.md).",
            (FAILED_PART, "{{bot}}"),
            unit="percentunit",
            steps=FAILURE_STEPS,
            decimals=1,
            no_value="no orders",
            link=to_dashboard("execution", "Why", bot=OF_SERIES),
        ),
        figure(
            9,
            "Alerts firing",
            "Alerts of Prometheus that fire for it now; the Overview names them.",
            (FIRING_BY_BOT, "{{bot}}"),
            unit="none",
            steps=BAD_FROM_ONE,
            link=to_dashboard("overview", "Which", bot=OF_SERIES),
        ),
    ]
    acting_and_asked = (  # one query: Prometheus orders it by bot
        f'label_replace({mode()}, "what", "acts by", "", "") '
        f'or label_replace({mode("tradebot_desired_mode")}, "what", "asked for", "", "")'
    )
    modes = states(
        10,
        "Mode, and what was asked for",
        "What it acts by, and below it what was last asked of it. They differ while it takes up a command, or when it "
        "refuses: then look at Control and audit.",
        [(acting_and_asked, "{{bot}} {{what}}")],
        names=MODES,
        height=5,
        link=to_dashboard("control", "Commands to it", bot=OF_SERIES),
    )
    section(dashboard, 1, "Now", figures, [modes])


def _money(dashboard: Dashboard) -> None:
    unrealized = f"sum by (bot, asset) (tradebot_unrealized_pnl{{{bot_trading.OF_POSITIONS}}})"
    section(
        dashboard,
        20,
        "Money",
        [
            course(
                21,
                "Equity",
                "Worth of all holdings, in the asset named; a strategy that reports its own has a line of its own.",
                [(f"max by (bot, strategy, asset) ({_EQUITY})", "{{bot}} {{strategy}} {{asset}}")],
                unit="locale",
            ),
            course(
                22,
                "Result in the time range",
                "Realized: of positions closed since the time range began, net of costs. Open: what open positions "
                "would bring at their current prices. Realized falls while open rises: winners are held, losers "
                "cut, or the other way round.",
                [
                    (
                        f"sum by (bot, asset) (tradebot_realized_pnl{{{BOT}}}) "  # noqa: ISC004  one expression, in a pair with its legend
                        f"- {at_begin('tradebot_realized_pnl', from_nothing=True)}",
                        "{{bot}} {{asset}} realized",
                    ),
                    (unrealized, "{{bot}} {{asset}} open"),
                ],
                unit="locale",
            ),
            course(
                23,
                "Drawdown",
                "Loss from the highest equity; deposits and withdrawals move that peak. Above the dashed lines "
                "BotDrawdown warns, then pages; prometheus/thresholds.yml sets them for each bot "
                "(runbook: docs/runbooks/botdrawdown.md).",
                [
                    (
                        f"max by (bot, strategy, asset) (tradebot_drawdown_ratio{{{matching(BOT, STRATEGY)}}})",
                        "{{bot}} {{strategy}} {{asset}}",
                    )
                ],
                unit="percentunit",
                limits=[limit("drawdown_warning_ratio"), limit("drawdown_critical_ratio")],
                least=0,
            ),
        ],
    )


def _words(dashboard: Dashboard) -> None:
    section(
        dashboard,
        120,
        "What it says",
        [
            course(
                121,
                "Errors",
                "Errors that its own code reported in each interval, by part and exception. One kind that comes again "
                "and again is a fault to mend; many kinds at once mostly have one cause outside.",
                [(grown("tradebot_errors_total", "bot", "component", "kind"), "{{bot}} {{component}} {{kind}}")],
                unit="none",
                span=12,
                least=0,
            ),
            counted(
                122,
                "Lines by level",
                "How many lines its journal got in each interval, heartbeats and observations left out. More errors "
                "and warnings than usual: read them below.",
                [
                    (
                        f"sum by (level) (count_over_time({JOURNAL} | type !~ `{FREQUENT}` [$__auto]))",
                        "{{level}}",
                    )
                ],
                colours=LEVEL_COLOURS,
            ),
        ],
        [
            activity(
                123,
                "Errors and warnings",
                "What went wrong, newest first. A click opens the line with all its fields; its trace leads to the "
                "lines of the same order.",
                said(f"{JOURNAL} | level=~`warning|error|critical`"),
                height=9,
            )
        ],
        [
            activity(
                124,
                "Its log",
                "Log records and errors of its own code, newest first.",
                said(f'{{service_name="deskwatch", {BOT}, kind="logs"}}', _LOGGED),
                height=9,
            )
        ],
    )
