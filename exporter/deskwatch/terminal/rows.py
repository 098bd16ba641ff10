"""A bot as a row of the table: at most 79 columns wide."""

from __future__ import annotations

from rich.text import Text

from deskwatch.control.figures import age, compact
from deskwatch.harmless import harmless
from deskwatch.live import BotState

COLUMNS = ("bot", "mode", "since", "PnL", "equity", "pos", "ord", "event", "links", "!")
"""`event` is the age of the newest, `links` are connections that are up, `!` are alerts."""
_RIGHT = frozenset({"since", "PnL", "equity", "pos", "ord", "event", "links", "!"})
MODE_STYLES = {"active": "bold green", "standby": "yellow", "closing": "magenta", "halted": "bold red"}
STALE_SECONDS = 5.0
"""A state that was not confirmed for so long is shown as doubtful."""
QUIET_SECONDS = 30.0
"""A running bot that wrote nothing for so long is shown in red."""
MAX_NAME = 11
MAX_WIDE_NAME = 30
"""Where the terminal has 100 columns or more."""


def heading(name: str) -> Text:
    """A column's heading."""
    return Text(f"{name} ", justify="right" if name in _RIGHT else "left")


def row(state: BotState, now: float, age_seconds: float, *, wide: bool = False) -> tuple[Text, ...]:
    """The cells, in the order of COLUMNS.

    Args:
        state: The bot.
        now: Unix seconds.
        age_seconds: Since its sidecar was heard last.
        wide: Whether there is room for long names.
    """
    stale = age_seconds > STALE_SECONDS
    quiet = state.running and state.last_event is not None and now - state.last_event > QUIET_SECONDS
    links = [one.get("up") for one in state.connections.values()]
    up = sum(bool(one) for one in links)
    cells = (
        (shortened(state.bot, MAX_WIDE_NAME if wide else MAX_NAME), "bold"),
        mode(state, stale=stale),
        (age(state.mode.since, now), ""),
        money(state.realized_pnl, signed=True),
        money(state.equity),
        (str(len(state.positions)), ""),
        ("-" if state.open_orders is None else str(state.open_orders), ""),
        (age(state.last_event, now), "bold red" if quiet else ""),
        (f"{up}/{len(links)}" if links else "-", "bold red" if up < len(links) else "green" if links else ""),
        (str(len(state.alerts)), "bold red" if state.alerts else "dim"),
    )
    return tuple(
        Text(f"{text} ", style="dim" if stale else style, justify="right" if name in _RIGHT else "left")
        for name, (text, style) in zip(COLUMNS, cells, strict=True)
    )


def mode(state: BotState, *, stale: bool) -> tuple[str, str]:
    """The mode as text and style: what it acts by, and what was asked where that differs; `?` where it is old."""
    actual, desired = state.mode.actual or "unknown", state.mode.desired
    text = harmless(actual) + ("" if desired in (None, actual) else f"→{harmless(str(desired))}")
    if stale:
        return f"{text}?", "dim"
    if state.is_unwatched:
        return "unwatched", "dim"
    if state.is_only_watched:
        return "watched", ""
    if not state.running:
        return f"{text} off", "dim"
    return text, MODE_STYLES.get(actual, "") if desired in (None, actual) else "bold yellow"


def money(by_asset: dict[str, float], *, signed: bool = False) -> tuple[str, str]:
    """The first asset's amount, with `…` where there are more; with a colour for profit and loss."""
    if not by_asset:
        return "-", "dim"
    asset, value = next(iter(by_asset.items()))
    more = "…" if len(by_asset) > 1 else ""
    style = ("green" if value > 0 else "red" if value < 0 else "") if signed else ""
    return f"{compact(value)} {short(asset, 6)}{more}", style


def shortened(name: str, most: int) -> str:
    """A name, cut in its middle: names of one family differ at their end."""
    name = harmless(name)
    return name if len(name) <= most else name[: most // 2 - 1] + "…" + name[-(most - most // 2) :]


def short(text: str, most: int) -> str:
    """Text from outside, harmless and cut."""
    text = harmless(text)
    return text if len(text) <= most else text[: most - 1] + "…"
