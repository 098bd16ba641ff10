"""`ctl status`: every bot in a line, or whole as JSON."""

from __future__ import annotations

import sys
import time
from typing import Any

from deskwatch.console import print_table
from deskwatch.control.desks import states
from deskwatch.control.figures import age, amounts, mode_words
from deskwatch.control.outcome import EXIT_STATUS, Outcome
from deskwatch.errors import NotAllowed, SidecarError
from deskwatch.harmless import as_json, harmless
from deskwatch.live.access import Access

_COLUMNS = (
    ("bot", False),
    ("mode", False),
    ("since", True),
    ("realized", True),
    ("equity", True),
    ("positions", True),
    ("orders", True),
    ("last event", True),
    ("alerts", True),
)
_SPARE = ("orders", "realized", "since")


def show(accesses: list[Access], bot: str | None, *, as_document: bool) -> int:
    """Print the bots of all sidecars; 0 where every sidecar answered (and has the bot that is asked for)."""
    found: list[dict[str, Any]] = []
    status = 0
    for access in accesses:
        try:
            found += [
                {**state, "sidecar": access.url} for state in states(access) if bot is None or state.get("bot") == bot
            ]
        except SidecarError as error:
            print(f"deskwatch: {harmless(str(error))}", file=sys.stderr)
            outcome = Outcome.NOT_ALLOWED if isinstance(error, NotAllowed) else Outcome.UNREACHABLE
            status = EXIT_STATUS[outcome]
    if as_document:
        print(as_json({"bots": found}))
    elif found:
        now = time.time()
        print_table(_COLUMNS, [_row(state, now) for state in found], _SPARE)
    if bot is not None and not found and status == 0:
        print(f"deskwatch: expected a bot that is known there, was {harmless(bot)!r}", file=sys.stderr)
        return EXIT_STATUS[Outcome.REFUSED]
    return status


def _row(state: dict[str, Any], now: float) -> list[tuple[str, str]]:
    mode = state.get("mode") or {}
    alerts = len(state.get("alerts") or {})
    open_orders = state.get("open_orders")
    return [
        (str(state.get("bot")), "strong"),
        (mode_words(state), {"active": "info", "halted": "error"}.get(str(mode.get("actual")), "warning")),
        (age(mode.get("since"), now), ""),
        (amounts(state.get("realized_pnl")), ""),
        (amounts(state.get("equity")), ""),
        (str(len(state.get("positions") or {})), ""),
        ("-" if open_orders is None else str(open_orders), ""),
        (age(state.get("last_event"), now), ""),
        (str(alerts), "error" if alerts else ""),
    ]
