"""What several dashboards ask in the same words, and how they name and colour the answer."""

from __future__ import annotations

from deskwatch.dashboards.drawing import Query
from deskwatch.dashboards.variables import BOT, BOT_OR_NONE

MODES = {1: ("halted", "red"), 2: ("closing", "orange"), 3: ("standby", "blue"), 4: ("active", "green")}
"""Values that `mode` and `desired_mode` give, as words."""
LIFE = {
    0: ("stopped", "text"),
    1: ("silent", "red"),
    2: ("up", "green"),
    3: ("unwatched", "text"),
    4: ("watched", "blue"),
}
"""Values that `STATE` gives, as words."""
OUTCOMES = {
    "filled": "green",
    "failed": "red",
    "canceled": "orange",
    "expired": "dark-orange",
    "submitted": "blue",
}
"""What became of orders, and its colour."""
RESULT_STEPS = ((None, "text"), (-1e18, "red"), (0, "text"), (1e-9, "green"))
"""Of money won or lost. (The first colour is that of what is unknown, too.)"""
BAD_FROM_ONE = ((None, "green"), (1, "red"))
DRAWDOWN_STEPS = ((None, "green"), (0.10, "orange"), (0.20, "red"))
"""Colours at the defaults of the thresholds, as a colour can't follow a bot's own."""
FAILURE_STEPS = ((None, "green"), (0.10, "orange"), (0.40, "red"))
LATENCY_STEPS = ((None, "green"), (2, "orange"), (10, "red"))
AGE_STEPS = ((None, "green"), (15, "orange"), (30, "red"))

DISTANCE_STEPS = ((None, "text"), (-1, "red"), (0.05, "orange"), (0.10, "green"))
"""Of the distance to liquidation."""
LEVEL_COLOURS = {"critical": "dark-red", "error": "red", "warning": "orange", "info": "blue", "debug": "text"}
"""How serious a line is, and its colour."""

AGE = f"(time() - tradebot_last_event_timestamp_seconds{{{BOT}}})"
"""Age of each bot's newest event; a heartbeat comes every 5 s."""
RUNNING = f"on (job, instance, bot) tradebot_running{{{BOT}}} == 1"
_SILENT_FROM = f"on (bot) group_left () bot:silence_seconds:threshold{{{BOT}}}"
LIVES = (
    f"max by (bot) (tradebot_running{{{BOT}}}) + "
    f"max by (bot) (tradebot_running{{{BOT}}} * on (job, instance, bot) ({AGE} <= bool {_SILENT_FROM}))"
)
"""2 up, 1 silent though it did not stop, 0 stopped in good order."""
STATE = f"({LIVES}) or max by (bot) (tradebot_watched{{{BOT}}}) + 3"
"""The same; and of what is watched and starts nothing, as a wallet: 4 while it is, 3 once nobody watches it."""
FIRING = f'ALERTS{{alertstate="firing", alertname!="Watchdog", {BOT_OR_NONE}}}'
FIRING_BY_BOT = (
    f'count by (bot) (ALERTS{{alertstate="firing", {BOT}}}) '
    f"or max by (bot) (tradebot_last_event_timestamp_seconds{{{BOT}}}) * 0"
)
FAILED_PART = f"bot:tradebot_orders_failed_per_submitted:ratio10m{{{BOT}}}"
"""Orders failed of orders submitted in 10 minutes."""


RESULT = f"sum by (bot, asset) (bot:tradebot_pnl:delta1d{{{BOT}}})"
"""What each bot won or lost in 24 hours, realized and open."""
EQUITY = f"sum by (bot, asset) (bot:tradebot_equity:sum{{{BOT}}})"
"""Worth of all holdings of each bot."""


def mode(metric: str = "tradebot_mode") -> str:
    """Each bot's mode as a number of MODES; of a bot that several sidecars tell of, the one that trades most."""
    each = " or ".join(f'({metric}{{{BOT}, mode="{name}"}} == 1) * {value}' for value, (name, _) in MODES.items())
    return f"max by (bot) ({each})"


def limit(name: str) -> Query:
    """A threshold of the bots chosen as a line, for the bot that it is."""
    return f"bot:{name}:threshold{{{BOT}}}", f"{{{{bot}}}} {name.rpartition('_')[0].replace('_', ' ')}, threshold"


def at_begin(metric: str, *, from_nothing: bool = False) -> str:
    """A gauge, for each bot and asset, when the time range began: its first value in it (its last, less its change).

    `from_nothing`: where it came to be within the range, while its bot was there before, it was 0.
    """
    series = f"{metric}{{{BOT}}}"
    first = f"last_over_time({series}[$__range] @ end()) - delta({series}[$__range] @ end())"
    known = f"on (job, instance, bot) tradebot_last_event_timestamp_seconds{{{BOT}}} @ start()"
    born = f" or {series} @ end() * 0 and {known}" if from_nothing else ""
    return f"sum by (bot, asset) ({series} @ start(){born} or {first})"
