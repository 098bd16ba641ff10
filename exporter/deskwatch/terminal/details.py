"""The selected bot in six lines: mode and why, equity curve, figures, positions, links and alerts, last command."""

from __future__ import annotations

import time

from rich.text import Text

from deskwatch.control.figures import age, amount, amounts
from deskwatch.harmless import harmless
from deskwatch.live import BotState, CommandState
from deskwatch.terminal.fleet import Watched
from deskwatch.terminal.rows import MODE_STYLES, STALE_SECONDS
from deskwatch.terminal.sparkline import sparkline

MAX_SHOWN = 3
_STATUS_STYLES = {
    "succeeded": "green",
    "failed": "red",
    "refused": "red",
    "expired": "yellow",
    "unknown": "bold yellow",
}


def details(bot: Watched | None, width: int) -> Text:
    """The lines, each cut at the width."""
    if bot is None:
        return Text("no bot yet", style="dim")
    now, state = time.time(), bot.state
    lines = (
        _mode(bot, now),
        _equity(state, width),
        _figures(state, now),
        _positions(state),
        _health(state, now),
        _command(state.commands[0] if state.commands else None, now),
    )
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def _mode(bot: Watched, now: float) -> Text:
    mode, state = bot.state.mode, bot.state
    actual = mode.actual or ("watched" if state.is_only_watched else "unknown")
    line = Text.assemble((harmless(state.bot), "bold"), "  ", (harmless(actual), MODE_STYLES.get(actual, "")))
    if mode.desired not in (None, actual):
        line.append(f", asked for: {harmless(str(mode.desired))}", "bold yellow")
    line.append(f" for {age(mode.since, now)}")
    if mode.actor or mode.reason:
        line.append(f", by {harmless(mode.actor or 'itself')}: {harmless(mode.reason or 'no reason')}", "dim")
    if state.is_unwatched:
        line.append("  nobody watches it any more", "bold yellow")
    elif not state.running and not state.is_only_watched:
        line.append("  the bot does not run", "bold red")
    if bot.link.age_seconds > STALE_SECONDS:
        line.append(f"  as of {bot.link.age_seconds:.0f} s ago", "bold red")
    return line


def _equity(state: BotState, width: int) -> Text:
    head = f"equity {amounts(state.equity)} "
    curve = sparkline([value for _, value in state.equity_curve], max(0, width - len(head)))
    return Text.assemble(harmless(head), (curve, "cyan"))


def _figures(state: BotState, now: float) -> Text:
    counts = state.counts
    won = "-" if state.win_ratio is None else f"{state.win_ratio:.0%}"
    parts = (
        f"PnL {amounts(state.realized_pnl)}",
        f"trades {counts.trades_closed}, won {won}",
        f"orders {counts.orders_submitted}, failed {counts.orders_failed}",
        f"gas {amounts(state.gas_spent)}",
        f"up {age(state.started, now)}",
        *(f"watched: {one.source} {one.peer}" for one in state.watches.values()),
    )
    return Text(harmless(" · ".join(parts)))


def _positions(state: BotState) -> Text:
    shown = [
        f"{one.get('side') or ''} {amount(one.get('quantity'))} {one.get('symbol') or name}".strip()
        for name, one in list(state.positions.items())[:MAX_SHOWN]
    ]
    more = len(state.positions) - len(shown)
    words = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return Text(harmless(f"positions: {words or 'none'}"))


def _health(state: BotState, now: float) -> Text:
    down = [name for name, one in state.connections.items() if not one.get("up")]
    line = Text("links: ")
    if not state.connections:
        line.append("none told", "dim")
    elif down:
        line.append(harmless("down: " + ", ".join(down)), "bold red")
    else:
        line.append("all up", "green")
    if state.alerts:
        line.append(harmless("  alerts: " + ", ".join(state.alerts)), "bold red")
    error = state.last_error
    if error is not None:
        told = f"  last error {age(error.get('at'), now)} ago: {error.get('kind')}: {error.get('message')}"
        line.append(harmless(told), "dim")
    return line


def _command(command: CommandState | None, now: float) -> Text:
    if command is None:
        return Text("no command yet", style="dim")
    line = Text.assemble("command ", harmless(command.type), " ")
    line.append(harmless(command.status), _STATUS_STYLES.get(command.status, "bold"))
    line.append(f" {age(command.finished_at or command.accepted_at, now)} ago, by {harmless(command.actor or '?')}")
    detail = command.error or command.waiting_for
    if detail and command.status != "succeeded":
        line.append(harmless(f": {detail}"))
    return line
