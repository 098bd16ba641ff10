"""`reload_config`: freqtrade makes itself anew from its configuration, and is seen to have done so.

freqtrade (`worker.py`) ends all its parts, its API too, reads the configuration, and begins in `initial_state`: it may
come up riskier than it was, so it is lowered again. One whose configuration is wrong ends then, and does not come back.
"""

from __future__ import annotations

import time
from typing import Any

from deskwatch.events import Json
from deskwatch.mode import riskier
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused, Unreachable
from deskwatch.sources.freqtrade.modes import MODE_OF, Modes
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import STATES, Trader

LOGS = 200
"""Lines of freqtrade's log that are read for its word."""
WORKER, WORD = "freqtrade.worker", "Changing state from RELOAD_CONFIG to"
"""Its logger and words when it has reloaded. Its start time tells it too, but for one that comes up stopped."""


async def reload_config(trader: Trader, modes: Modes, pursuit: Pursuit) -> Json:
    """Reload, wait until that is seen, and lower it to the mode it had, or was brought to meanwhile.

    What is asked of it just before it begins anew is forgotten: it says `stopped`, and then comes up running.

    Raises:
        NotDone: It was not seen in time.
    """
    before = await pursuit.until(lambda: _marks(trader), lambda: "expected to read freqtrade's state, but could not")
    had, began = modes.told, time.monotonic()
    words = ""
    asked_at = float("-inf")

    async def step() -> str | None:
        nonlocal words, asked_at
        if asked_at == float("-inf"):
            try:
                words = str(await trader.client.post("reload_config"))[:100]
            except Unreachable as error:
                if not error.arrived:
                    raise
                words = "without an answer"
            asked_at = time.monotonic()
        if await trader.state() not in STATES:
            return None
        now = await _marks(trader)
        return now.state if now.state in STATES and now.is_after(before) else None

    state = await pursuit.until(step, lambda: _missing(asked_at, words, is_away=not trader.client.reachable.is_set()))
    result: dict[str, Json] = {"state": state}
    mode = MODE_OF[state]
    if modes.changed >= began:
        had = modes.brought
    if had is not None and riskier(mode, had):
        try:
            await modes.hold(had, "freqtrade came up riskier from its configuration")
        except FreqtradeError as error:
            raise NotDone(
                f"reloaded, but freqtrade came up as {state} and could not be lowered to {had}: {error}"
            ) from None
        result["note"] = f"freqtrade came up {state}, and was lowered to {had} again"
    return result


class _Marks:
    """What tells a reload from none."""

    def __init__(self, state: str, startup_ts: float, told_ms: float) -> None:
        self.state = state
        self._startup_ts = startup_ts
        self._told_ms = told_ms

    def is_after(self, before: _Marks) -> bool:
        return self._told_ms > before._told_ms or self._startup_ts > before._startup_ts


async def _marks(trader: Trader) -> _Marks:
    health = await trader.client.get("health", urgent=True)
    startup = health.get("bot_startup_ts") if isinstance(health, dict) else None
    try:
        logs = await trader.client.get("logs", urgent=True, limit=LOGS)
    except Refused:
        logs = None
    state = await trader.state()  # the last: with the marks of a reload, one from before it would pass for its outcome
    return _Marks(state, _figure(startup), _last_told(logs))


def _last_told(logs: Any) -> float:  # Any: whatever JSON holds
    """When it said so last, Unix time in milliseconds by its clock; 0 where it did not."""
    lines = logs.get("logs") if isinstance(logs, dict) else None
    return max(
        (
            _figure(line[1])
            for line in (lines if isinstance(lines, list) else [])
            if isinstance(line, list) and len(line) >= 5 and line[2] == WORKER and str(line[4]).startswith(WORD)
        ),
        default=0.0,
    )


def _figure(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e18 else 0.0


def _missing(asked_at: float, words: str, *, is_away: bool) -> str:
    if asked_at == float("-inf"):
        return "expected freqtrade to reload its configuration, but it could not be asked"
    if is_away:
        return (
            "freqtrade was asked to reload its configuration and does not answer since; "
            "where the configuration is wrong it ends: see its log, and start it again"
        )
    return f"freqtrade was asked to reload its configuration ({words}), but did not say that it has"
