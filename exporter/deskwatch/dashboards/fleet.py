"""The fleet now, as a section of the Overview: figures over all bots, a row for each, and their modes over time."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards.expressions import (
    AGE,
    AGE_STEPS,
    BAD_FROM_ONE,
    DRAWDOWN_STEPS,
    EQUITY,
    FAILED_PART,
    FAILURE_STEPS,
    FIRING,
    FIRING_BY_BOT,
    LATENCY_STEPS,
    LIFE,
    LIVES,
    MODES,
    RESULT,
    RESULT_STEPS,
    RUNNING,
    STATE,
    mode,
)
from deskwatch.dashboards.layout import section
from deskwatch.dashboards.links import OF_CELL, OF_SERIES, to_dashboard
from deskwatch.dashboards.panels import figure, states
from deskwatch.dashboards.promql import quantile
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT

BOT_LABEL = Label(title="Bot", link=to_dashboard("bot", "This bot", bot=OF_CELL), width=150)
_LATENCY = "tradebot_order_latency_seconds"


def fleet(dashboard: Dashboard) -> None:
    """Who is up, in which mode, making or losing money."""
    figures = [
        figure(
            2,
            "Bots up",
            "Bots that started, did not stop, and wrote something lately (a heartbeat is enough). Fewer than you run: "
            "see which one is silent or stopped in the table below.",
            (f"count(({LIVES}) == 2) or vector(0)", "up"),
            unit="none",
            steps=((None, "red"), (1, "green")),
        ),
        figure(
            3,
            "Bots silent",
            "Bots that did not stop in good order, yet have written nothing for longer than their threshold: crashed, "
            "killed, hanging or out of reach. Their orders and positions are unattended "
            "(runbook: docs/runbooks/botdown.md).",
            (f"count(({LIVES}) == 1) or vector(0)", "silent"),
            unit="none",
            steps=BAD_FROM_ONE,
        ),
        figure(
            4,
            "Alerts firing",
            "Alerts of Prometheus that fire now, for the bots chosen and for deskwatch itself. The table below names "
            "them; each has a runbook.",
            (f"count({FIRING}) or vector(0)", "firing"),
            unit="none",
            steps=BAD_FROM_ONE,
        ),
        figure(
            5,
            "Bots losing, 24 h",
            "Bots that lost over the last 24 hours, realized and open, in at least one asset. One such day is "
            "usual; look at how much in the table below.",
            (f"count(count by (bot) ({RESULT} < 0)) or vector(0)", "losing"),
            unit="none",
            steps=((None, "green"), (1, "orange")),
        ),
        figure(
            6,
            "Worst drawdown",
            "The largest loss from the highest equity among the bots chosen. From 10 % on BotDrawdown warns, from 20 % "
            "on it pages, unless prometheus/thresholds.yml says otherwise (runbook: docs/runbooks/botdrawdown.md).",
            (f"max(tradebot_drawdown_ratio{{{BOT}}})", "drawdown"),
            unit="percentunit",
            steps=DRAWDOWN_STEPS,
            decimals=1,
        ),
        figure(
            7,
            "Worst failure ratio",
            "Orders failed of orders submitted in 10 minutes, for the bot that fails most. Above its threshold, "
            "40 % by default, BotOrderFailures warns (runbook: docs/runbooks/botorderfailures.md).",
            (f"max({FAILED_PART}) or vector(0)", "failed"),
            unit="percentunit",
            steps=FAILURE_STEPS,
            decimals=1,
        ),
        figure(
            8,
            "Slowest orders, p95",
            "From submitting to the final fill, what 95 of 100 orders of the slowest bot stayed below in 10 minutes. "
            "Where it rises, look whether the venue or the bot is slow: Execution tells. Limit orders that rest in the "
            "market are slow by design.",
            (f"max({quantile(0.95, _LATENCY, 'bot', window='10m')})", "p95"),
            unit="s",
            steps=LATENCY_STEPS,
            no_value="no fills",
        ),
        figure(
            9,
            "Oldest last event",
            "Age of the newest event of the running bot that has been silent longest. A heartbeat comes every 5 s; "
            "from 30 s on, by default, BotDown fires.",
            (f"max({AGE} and {RUNNING})", "age"),
            unit="s",
            steps=AGE_STEPS,
            no_value="none runs",
            graph=False,
        ),
    ]
    bots = joined(
        10,
        "Bots",
        "Each bot, and the asset that it is judged in; the highest drawdown comes first. Results are "
        "those of the last 24 hours, realized and open. A click on a bot leads to its own dashboard.",
        {"bot": BOT_LABEL, "asset": Label(title="Asset", width=80)},
        [
            Column(title="State", expr=STATE, names=LIFE, width=90),
            Column(title="Mode", expr=mode(), names=MODES, width=90),
            Column(
                title="Equity",
                expr=EQUITY,
                unit="locale",
                decimals=2,
            ),
            Column(
                title="Result, 24 h",
                expr=RESULT,
                unit="locale",
                decimals=2,
                steps=RESULT_STEPS,
            ),
            Column(
                title="Drawdown",
                expr=f"max by (bot, asset) (tradebot_drawdown_ratio{{{BOT}}})",
                unit="percentunit",
                decimals=1,
                steps=DRAWDOWN_STEPS,
            ),
            Column(title="Open positions", expr=f"sum by (bot) (tradebot_positions_open{{{BOT}}})", unit="none"),
            Column(
                title="Failed, 10 min",
                expr=f"max by (bot) ({FAILED_PART})",
                unit="percentunit",
                decimals=1,
                steps=FAILURE_STEPS,
            ),
            Column(
                title="p95, 10 min",
                expr=quantile(0.95, _LATENCY, "bot", window="10m"),
                unit="s",
                steps=LATENCY_STEPS,
            ),
            Column(title="Last event", expr=f"max by (bot) ({AGE})", unit="s", decimals=0, steps=((None, "text"),)),
            Column(title="Alerts firing", expr=FIRING_BY_BOT, unit="none", steps=BAD_FROM_ONE),
        ],
        sort_by="Drawdown",
        no_value="-",
    )
    modes = states(
        11,
        "Mode",
        "What each bot may do: active trades; standby watches and may close; closing reduces to flat; halted sends "
        "nothing until a person re-arms it. Taken from the bot's own word that it acts by its mode. Change it on the "
        "live page.",
        [(mode(), "{{bot}}")],
        names=MODES,
        link=to_dashboard("control", "Commands to this bot", bot=OF_SERIES),
    )
    section(dashboard, 1, "Fleet", figures, [bots], [modes])
