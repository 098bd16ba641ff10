"""`set_mode`: freqtrade's states are asked for, and in force once `show_config` has them.

active    start          running
standby   pause          paused: it manages what is open, and enters nothing
closing   pause          paused, and all trades are forced out until nothing is open; then standby
halted    stop           stopped: it does nothing at all, so what is open is left alone
"""

from __future__ import annotations

import asyncio
import time

from deskwatch.events import Json, Mode
from deskwatch.mode import riskier
from deskwatch.sources.commands import STAYS_HALTED
from deskwatch.sources.freqtrade.errors import FreqtradeError
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import PAUSED, RUNNING, STATES, STOPPED, Trader
from deskwatch.sources.watched import Watched

STATE_OF = {Mode.ACTIVE: RUNNING, Mode.STANDBY: PAUSED, Mode.CLOSING: PAUSED, Mode.HALTED: STOPPED}
MODE_OF = {RUNNING: Mode.ACTIVE, PAUSED: Mode.STANDBY, STOPPED: Mode.HALTED}


class Modes:
    """The mode that freqtrade acts by.

    Attributes:
        closing: Set while all trades are to be forced out.
        changed: `time.monotonic()` when a mode was last told from here: what was asked of freqtrade before is old.
        brought: That mode; None before the first.

    Args:
        trader: Asks it.
        watched: Where modes are told.
    """

    def __init__(self, trader: Trader, watched: Watched) -> None:
        self._trader = trader
        self._watched = watched
        self._line = asyncio.Lock()
        self._asked = 0
        self.changing = False
        self.changed = float("-inf")
        self.brought: Mode | None = None
        self.closing = asyncio.Event()
        if watched.mode is Mode.CLOSING:  # a sidecar that was restarted goes on
            self.closing.set()

    @property
    def told(self) -> Mode | None:
        """The mode that was told last."""
        return self._watched.mode

    def of(self, state: object, asked_at: float) -> Mode | None:
        """The mode that a state stands for; None where it tells none, or where it is older than what is known."""
        if self.changing or asked_at < self.changed or not isinstance(state, str):
            return None
        if state == PAUSED and self.closing.is_set():
            return Mode.CLOSING
        return MODE_OF.get(state)

    async def settle(self) -> None:
        """Wait until modes that were asked for before are in force, or given up."""
        async with self._line:
            pass

    async def obey(self, mode: Mode, pursuit: Pursuit) -> Json:
        """Bring freqtrade to a mode, and tell it; the result for the operator.

        Raises:
            NotDone: It is not in force.
        """
        self._asked += 1
        turn, command = self._asked, pursuit.command
        async with self._line:
            self.changing = True
            try:
                await self._bring(mode, pursuit, turn)
                self._tell(mode, reason=command.reason, actor=command.actor, cause=command.id)
            finally:
                self.changing = False
        await pursuit.look()
        return await self._result(mode)

    async def hold(self, mode: Mode, reason: str, *, seconds: float = 30.0) -> bool:
        """Lower freqtrade to a mode without a command, where it came up riskier than it may be; whether it is not now.

        Raises:
            FreqtradeError: It can't be asked.
        """
        async with self._line:
            self.changing = True
            try:
                until = time.monotonic() + seconds
                while (state := await self._trader.state()) != STATE_OF[mode]:
                    if state in MODE_OF and not riskier(MODE_OF[state], mode):
                        return True  # a pause would start one that is stopped
                    if time.monotonic() > until:
                        return False
                    await self._trader.ask_for(STATE_OF[mode])
                    await asyncio.sleep(0.2)
                self._tell(mode, reason=reason)
                return True
            finally:
                self.changing = False

    def flat(self) -> None:
        """Nothing is open any more: what was `closing` is `standby`."""
        self._tell(Mode.STANDBY, reason="flat")

    def _tell(self, mode: Mode, *, reason: str | None, actor: str | None = None, cause: str | None = None) -> None:
        if mode is Mode.CLOSING:
            self.closing.set()
        else:
            self.closing.clear()
        self.changed, self.brought = time.monotonic(), mode
        self._watched.show_mode(mode, reason=reason, actor=actor, cause=cause)

    async def _bring(self, mode: Mode, pursuit: Pursuit, turn: int) -> None:
        wanted = STATE_OF[mode]
        state = words = "nothing"
        was_asked = False
        may_start = wanted == STOPPED or pursuit.command.leaves_halted

        async def step() -> bool | None:
            nonlocal state, words, was_asked
            if turn != self._asked:
                raise NotDone("another mode was asked for meanwhile")
            if not was_asked and not may_start:  # somebody may have stopped it since it was looked at last
                state = await self._trader.state()
            if state == STOPPED and not may_start:
                raise NotDone(STAYS_HALTED)
            if not was_asked or (state in STATES and state != wanted):
                words = await self._trader.ask_for(wanted)
                was_asked = True
            state = await self._trader.state()
            return True if state == wanted else None

        await pursuit.until(
            step, lambda: f"expected freqtrade to be {wanted}, but it says that it is {state or 'being made'} ({words})"
        )

    async def _result(self, mode: Mode) -> Json:
        result: dict[str, Json] = {"mode": mode, "state": STATE_OF[mode]}
        try:
            trades = await self._trader.open_trades()
        except FreqtradeError:
            return result  # the mode is in force all the same
        result["open_trades"] = len(trades)
        if mode is Mode.HALTED and trades:
            left = ", ".join(str(trade) for trade in trades[:5]) + (" …" if len(trades) > 5 else "")
            result["note"] = (
                f"freqtrade is stopped and {len(trades)} of its trades are open: nobody looks after them, no "
                f"stop-loss of freqtrade's own acts: {left}; "
                "ask for standby to have them managed, or for closing to be rid of them"
            )
        return result
