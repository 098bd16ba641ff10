"""The overview: all bots at a glance, then one by one. Symptoms first, causes below."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.lines import activity
from deskwatch.dashboards.panels import course, figure, states
from deskwatch.dashboards.tables import rows
from deskwatch.dashboards.variables import BOT, BOT_OR_NONE

SILENT_SECONDS = 30
"""From this age of the newest event on, BotDown is on its way."""
_AGE = f"(time() - tradebot_last_event_timestamp_seconds{{{BOT}}})"
_RUNNING = f"on (job, instance, bot) tradebot_running{{{BOT}}} == 1"
_MODES = {1: ("halted", "red"), 2: ("closing", "orange"), 3: ("standby", "blue"), 4: ("active", "green")}
_DRAWDOWN_STEPS = ((None, "green"), (0.10, "orange"), (0.20, "red"))
_FAILURE_STEPS = ((None, "green"), (0.05, "orange"), (0.20, "red"))
_AGE_STEPS = ((None, "green"), (15, "orange"), (SILENT_SECONDS, "red"))
_BAD_FROM_ONE = ((None, "green"), (1, "red"))


def overview() -> Dashboard:
    """The dashboard."""
    dashboard = frame("overview", "Overview", "All bots at a glance.")
    for part in (_fleet, _money, _orders, _health, _activity):
        part(dashboard)
    return dashboard


def _fleet(dashboard: Dashboard) -> None:
    mode = " + ".join(
        f'sum by (bot) (tradebot_mode{{{BOT}, mode="{name}"}} * {value})' for value, (name, _) in _MODES.items()
    )
    dashboard.with_row(Row("Fleet").id(1))
    dashboard.with_panel(
        figure(
            2,
            "Bots up",
            f"Bots that started, did not stop, and wrote something within {SILENT_SECONDS} s (a heartbeat is enough).",
            (f"count({_AGE} <= {SILENT_SECONDS} and {_RUNNING}) or vector(0)", "up"),
            unit="none",
            steps=((None, "red"), (1, "green")),
        )
    )
    dashboard.with_panel(
        figure(
            3,
            "Bots silent",
            f"Bots that did not stop in good order, yet have written nothing for {SILENT_SECONDS} s.",
            (f"count({_AGE} > {SILENT_SECONDS} and {_RUNNING}) or vector(0)", "silent"),
            unit="none",
            steps=_BAD_FROM_ONE,
        )
    )
    dashboard.with_panel(
        figure(
            4,
            "Alerts firing",
            "Alerts of Prometheus that fire now, for the bots chosen and for deskwatch itself.",
            (f'count(ALERTS{{alertstate="firing", alertname!="Watchdog", {BOT_OR_NONE}}}) or vector(0)', "firing"),
            unit="none",
            steps=_BAD_FROM_ONE,
        )
    )
    dashboard.with_panel(
        figure(
            5,
            "Worst drawdown",
            "The largest loss from the highest equity among the bots chosen. 10 % warns, 20 % pages.",
            (f"max(tradebot_drawdown_ratio{{{BOT}}})", "drawdown"),
            unit="percentunit",
            steps=_DRAWDOWN_STEPS,
        )
    )
    dashboard.with_panel(
        figure(
            6,
            "Worst failure ratio",
            "Orders failed of orders submitted in 10 minutes, for the bot that fails most. From 20 % on it warns.",
            (f"max(bot:tradebot_orders_failed_per_submitted:ratio_increase10m{{{BOT}}})", "failed"),
            unit="percentunit",
            steps=_FAILURE_STEPS,
        )
    )
    dashboard.with_panel(
        figure(
            7,
            "Open positions",
            "Positions that are open, over all bots chosen.",
            (f"sum(tradebot_positions_open{{{BOT}}}) or vector(0)", "open"),
            unit="none",
        )
    )
    dashboard.with_panel(
        figure(
            8,
            "Errors in an hour",
            "Errors that the bots' own code reported in the last hour.",
            (f"sum(increase(tradebot_errors_total{{{BOT}}}[1h])) or vector(0)", "errors"),
            unit="none",
            steps=((None, "green"), (1, "orange"), (50, "red")),
        )
    )
    dashboard.with_panel(
        figure(
            9,
            "Oldest last event",
            "Age of the newest event of the running bot that has been silent longest.",
            (f"max({_AGE} and {_RUNNING})", "age"),
            unit="s",
            steps=_AGE_STEPS,
        )
    )
    dashboard.with_panel(
        states(
            10,
            "Mode",
            "What each bot may do: active trades; standby watches and may close; closing reduces to flat; halted sends "
            "nothing until a person re-arms it. Taken from the bot's own word that it acts by its mode.",
            [(mode, "{{bot}}")],
            names=_MODES,
        )
    )


def _money(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Money").id(20))
    dashboard.with_panel(
        course(
            21,
            "Equity",
            "Worth of all holdings. Each line in its own asset, named in the legend; assets are never added up.",
            [(f"max by (bot, strategy, asset) (tradebot_equity{{{BOT}}})", "{{bot}} {{strategy}} {{asset}}")],
            unit="short",
        )
    )
    dashboard.with_panel(
        course(
            22,
            "Realized profit and loss",
            "Sum of closed positions since the journal began, in the asset named.",
            [(f"sum by (bot, asset) (tradebot_realized_pnl{{{BOT}}})", "{{bot}} {{asset}}")],
            unit="short",
        )
    )
    dashboard.with_panel(
        course(
            23,
            "Drawdown",
            "Loss from the highest equity; deposits and withdrawals move that peak. Lines: 10 % warns, 20 % pages.",
            [(f"max by (bot, strategy, asset) (tradebot_drawdown_ratio{{{BOT}}})", "{{bot}} {{strategy}} {{asset}}")],
            unit="percentunit",
            steps=_DRAWDOWN_STEPS,
            least=0,
        )
    )


def _orders(dashboard: Dashboard) -> None:
    bucket = f"rate(tradebot_order_latency_seconds_bucket{{{BOT}}}[$__rate_interval])"
    dashboard.with_row(Row("Orders").id(40))
    dashboard.with_panel(
        course(
            41,
            "Orders per second",
            "Submitted, filled completely, and refused by a venue or a chain.",
            [
                (
                    f"sum by (bot) (rate(tradebot_orders_submitted_total{{{BOT}}}[$__rate_interval]))",
                    "{{bot}} submitted",
                ),
                (f"sum by (bot) (rate(tradebot_orders_filled_total{{{BOT}}}[$__rate_interval]))", "{{bot}} filled"),
                (f"sum by (bot) (rate(tradebot_orders_failed_total{{{BOT}}}[$__rate_interval]))", "{{bot}} failed"),
            ],
            unit="ops",
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            42,
            "Failed of submitted, in 10 minutes",
            "Nothing where nothing was submitted. From 20 % on, and with 5 orders or more, BotOrderFailures fires.",
            [(f"bot:tradebot_orders_failed_per_submitted:ratio_increase10m{{{BOT}}}", "{{bot}}")],
            unit="percentunit",
            steps=_FAILURE_STEPS,
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            43,
            "Order latency",
            "From submitting an order to its final fill: the median, and what 95 of 100 orders stay below.",
            [
                (f"histogram_quantile(0.5, sum by (bot, le) ({bucket}))", "{{bot}} median"),
                (f"histogram_quantile(0.95, sum by (bot, le) ({bucket}))", "{{bot}} p95"),
            ],
            unit="s",
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            44,
            "Failures by reason",
            "Orders refused in each interval, by the reason that the venue or the chain gave.",
            [
                (
                    f"sum by (bot, reason) (increase(tradebot_orders_failed_total{{{BOT}}}[$__rate_interval]))",
                    "{{bot}} {{reason}}",
                )
            ],
            unit="none",
            span=12,
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            45,
            "Gas spent per hour",
            "Paid for gas at the pace of each interval, in the chain's native asset. Reverted transactions pay too.",
            [
                (
                    f"sum by (bot, chain, asset) (rate(tradebot_gas_spent_total{{{BOT}}}[$__rate_interval])) * 3600",
                    "{{bot}} {{chain}} {{asset}}",
                )
            ],
            unit="short",
            span=12,
            least=0,
        )
    )


def _health(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Health").id(60))
    dashboard.with_panel(
        course(
            61,
            "Errors",
            "Errors that the bots' own code reported in each interval, by exception or short word.",
            [
                (
                    f"sum by (bot, kind) (increase(tradebot_errors_total{{{BOT}}}[$__rate_interval]))",
                    "{{bot}} {{kind}}",
                )
            ],
            unit="none",
            span=6,
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            62,
            "Age of the last event",
            "Time since each running bot's newest event. A heartbeat comes every 5 s; from 30 s on BotDown fires.",
            [(f"max by (bot) ({_AGE} and {_RUNNING})", "{{bot}}")],
            unit="s",
            span=6,
            steps=_AGE_STEPS,
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            63,
            "CPU",
            "Of each bot's process; 100 % is one core.",
            [(f"sum by (bot) (rate(tradebot_process_cpu_seconds_total{{{BOT}}}[$__rate_interval]))", "{{bot}}")],
            unit="percentunit",
            span=6,
            least=0,
        )
    )
    dashboard.with_panel(
        course(
            64,
            "Memory",
            "Resident memory of each bot's process.",
            [(f"max by (bot) (tradebot_process_resident_memory_bytes{{{BOT}}})", "{{bot}}")],
            unit="bytes",
            span=6,
            least=0,
        )
    )


def _activity(dashboard: Dashboard) -> None:
    dashboard.with_row(Row("Now").id(80))
    dashboard.with_panel(
        rows(
            81,
            "Alerts firing",
            "Each alert that fires now. Its runbook lies in docs/runbooks under its name in small letters.",
            (f'ALERTS{{alertstate="firing", alertname!="Watchdog", {BOT_OR_NONE}}}', "{{alertname}}"),
            unit="none",
            hidden=("Value", "alertstate", "job"),
        )
    )
    dashboard.with_panel(
        rows(
            82,
            "Open positions",
            "Positions that are open now, counted by bot, strategy, venue, symbol and side.",
            (
                f"sum by (bot, strategy, venue, symbol, side) (tradebot_positions_open{{{BOT}}}) > 0",
                "{{bot}} {{symbol}}",
            ),
            unit="none",
            hidden=(),
        )
    )
    dashboard.with_panel(
        activity(
            83,
            "Activity",
            "What the bots did, as journaled: decisions, orders, positions, modes, errors. Observations that come many "
            "times a second are left out; find them in Explore.",
            f'{{service_name="deskwatch", {BOT}}} '
            '| type !~ ".+_observed|heartbeat_sent|request_completed|position_updated" '
            "| line_format `{{.bot}}  {{.type}}  {{__line__}}`",
        )
    )
