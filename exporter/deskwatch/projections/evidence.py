"""Evidence: what the bot's own journal has to show before a command counts as done, and what it shows so far.

    set_mode        the mode came into force after the bot began the command, or was in force when it said "done"
    close_position  the positions it names that were open when the bot said "done" are closed; for a part: together they
                    are as much smaller as was asked
    close_all       all positions that were open when the bot said "done" are closed
    cancel_orders   all orders, or those of the symbol, that were open then have ended
    set_watchlist   a WatchlistChanged with these symbols since, or these were watched already
    reload_config   a ConfigReloaded since
    ping, the bot's own commands    nothing: the bot's word is all there is

A position that the journal never showed as opened can't be seen to close, and an order that it never showed can't be
seen to end: they hold up nothing, and what the bot says of them is believed. So is a part of positions whose size the
journal does not tell. What is opened after the bot said "done" was decided later, and does not count.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event, Json
from deskwatch.projections.holdings import Holding

CLOSING = frozenset({"close_position", "close_all"})
_TOLERANCE = 1e-9
"""Of the size before: sums of floats are not exact."""
_TOLD = 5
"""Ids that are named in a sentence."""


class Evidence(msgspec.Struct, kw_only=True):
    """Of one command, from the bot's start of it on."""

    before: dict[str, float] = {}
    """Positions that it names and that were open when the bot began it: id → size, 0 where it was not told."""
    left: list[str] | None = None
    """Ids that have to go yet; None before the bot's word."""
    target: float | None = None
    """For a part: what may be left of the positions in `before` together."""
    was_shown: bool = False
    """The mode, the watchlist or the reload came after the start."""


def begin(kind: str, params: dict[str, Json], holding: Holding) -> Evidence:
    """What is there when the bot begins a command."""
    evidence = Evidence()
    if kind in CLOSING:
        named = holding.matching(params.get("position_id"), params.get("symbol"))
        evidence.before = {key: holding.positions[key].quantity or 0.0 for key in named}
        evidence.target = _target(params, math.fsum(evidence.before.values()))
    return evidence


def weigh(kind: str, params: dict[str, Json], evidence: Evidence, holding: Holding, writer: str) -> None:
    """Take stock when the bot has said that it is done, or can't say any more."""
    if kind in CLOSING:
        named = holding.matching(params.get("position_id"), params.get("symbol"))
        evidence.left = list(evidence.before) if evidence.target is not None else named
        _shrink(kind, evidence, holding)
    elif kind == "cancel_orders":
        evidence.left = holding.open_orders(params.get("symbol"))
    elif kind == "set_mode":
        evidence.was_shown |= holding.modes.get(writer) == params.get("mode")
    elif kind == "set_watchlist":
        evidence.was_shown |= _same(holding.watchlist, params.get("symbols"))


def watch(
    kind: str, params: dict[str, Json], evidence: Evidence, holding: Holding, event: Event, *, by_writer: bool
) -> None:
    """Take in what happens while a command is on its way. `holding` is already as after the event."""
    match event:
        case ev.ModeChanged() | ev.HeartbeatSent():
            evidence.was_shown |= by_writer and kind == "set_mode" and event.mode == params.get("mode")
        case ev.WatchlistChanged():
            evidence.was_shown |= kind == "set_watchlist" and _same(event.symbols, params.get("symbols"))
        case ev.ConfigReloaded():
            evidence.was_shown |= kind == "reload_config"
        case _ if evidence.left is not None:
            _shrink(kind, evidence, holding)


def is_seen(kind: str, evidence: Evidence) -> bool:
    """Whether the journal shows the state that was asked for."""
    if kind in CLOSING or kind == "cancel_orders":
        return evidence.left == []
    if kind in ("set_mode", "set_watchlist", "reload_config"):
        return evidence.was_shown
    return True


def is_known_without_word(kind: str, evidence: Evidence, holding: Holding) -> bool:
    """Whether the journal alone tells, of a bot that died over a command, that what was asked for is so.

    Nothing open is only worth something of a bot that journals what it opens.
    """
    if kind in CLOSING:
        is_credible = bool(evidence.before) or (evidence.target is None and holding.tells_positions)
        return is_seen(kind, evidence) and is_credible
    if kind == "cancel_orders":
        return is_seen(kind, evidence) and holding.tells_orders
    return kind in ("set_mode", "set_watchlist", "reload_config") and evidence.was_shown


def wanted(kind: str, params: dict[str, Json], evidence: Evidence | None) -> str:
    """What has to be seen, and what is left of it, as a sentence's end: "it waits for …"."""
    left = evidence.left if evidence is not None else None
    open_still = "" if not left else f"; still open: {', '.join(left[:_TOLD])}{' …' if len(left) > _TOLD else ''}"
    of = params.get("position_id") or params.get("symbol")
    match kind:
        case "set_mode":
            return f"the mode {params.get('mode')} to be in force"
        case "close_position" if "quantity" in params or "ratio" in params:
            return f"{of} to be reduced by what was asked{open_still}"
        case "close_position":
            return f"the position {of} to be closed{open_still}"
        case "close_all":
            return f"no position to be open{open_still}"
        case "cancel_orders":
            return f"no order{f' of {of}' if of else ''} to be open{open_still}"
        case "set_watchlist":
            return "a WatchlistChanged with these symbols"
        case "reload_config":
            return "a ConfigReloaded"
        case _:
            return "the bot's word"


def _shrink(kind: str, evidence: Evidence, holding: Holding) -> None:
    """Strike out what has gone."""
    if evidence.left is None:
        return
    if evidence.target is None:
        there: dict[str, Any] = holding.orders if kind == "cancel_orders" else holding.positions
        evidence.left = [key for key in evidence.left if key in there]
        return
    sizes = (lot.quantity or 0.0 for key in evidence.before if (lot := holding.positions.get(key)) is not None)
    slack = _TOLERANCE * math.fsum(evidence.before.values())
    if math.fsum(sizes) <= evidence.target + slack:
        evidence.left = []


def _target(params: dict[str, Json], size: float) -> float | None:
    """What may be left of positions of this size; None where all of it has to go."""
    ratio, quantity = params.get("ratio"), params.get("quantity")
    if size == 0 and (ratio, quantity) != (None, None):
        return sys.float_info.max  # of what was never told nothing can be seen
    if isinstance(ratio, int | float):
        return size * (1 - ratio) if ratio < 1 else None
    if isinstance(quantity, int | float):
        return max(0.0, size - quantity)
    return None


def _same(symbols: list[str] | None, wanted_symbols: Json) -> bool:
    """Whether a watchlist is the one that was asked for; their order does not matter."""
    return symbols is not None and isinstance(wanted_symbols, list) and set(symbols) == {str(s) for s in wanted_symbols}
