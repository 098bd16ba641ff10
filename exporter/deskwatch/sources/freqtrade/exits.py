"""Closing: one position or a part of it, all of them, and reducing to flat while the mode is `closing`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping

from deskwatch.events import Json
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused
from deskwatch.sources.freqtrade.modes import Modes
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import PAUSED, ROUNDED, OpenTrade, Trader

AGAIN_SECONDS = 5.0
"""A trade that has had no exit order for this time is forced out again: freqtrade gives up orders that don't fill.

Once one is filled freqtrade asks the exchange for the fee, and shows the new amount after that
(`FreqtradeBot.update_trade_state`): a part that is forced in between is closed twice.
"""
REDUCE_SECONDS = 5.0
"""Between two looks while the mode is `closing`."""
SLACK = 1e-9
"""Of an amount: sums of floats are not exact."""
STOPPED_WORDS = "freqtrade is stopped, and closes nothing then; ask for the mode closing, which starts it paused"


class Exits:
    """Forces trades out.

    Args:
        trader: Asks freqtrade.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    async def close_all(self, pursuit: Pursuit) -> Json:
        """Close all that is open now.

        Raises:
            NotDone: Something is still open when the time is over.
        """
        trades = await pursuit.until(self._trader.open_trades, lambda: "expected to read what is open, but could not")
        forcing = Forcing(self._trader, dict.fromkeys((trade.key for trade in trades), 0.0))
        if len(trades) > 1:
            await forcing.all()
        await pursuit.until(forcing.step, forcing.missing)
        return {"closed": [str(trade.number) for trade in trades]}

    async def close(self, params: Mapping[str, Json], pursuit: Pursuit) -> Json:
        """Close one position or all of a symbol, or a part: `ratio` of each, or `quantity` of them together.

        Raises:
            NotDone: There is no such trade, or it is not closed, or not by as much, when the time is over.
        """
        trades = await pursuit.until(self._trader.open_trades, lambda: "expected to read what is open, but could not")
        named = _named(params, trades)
        if not named:
            return await self._nothing(params)
        targets = _targets(params, named)
        forcing = Forcing(self._trader, targets)
        left = await pursuit.until(forcing.step, forcing.missing)
        return {
            "closed": [str(trade.number) for trade in named if trade.key not in left],
            "left": {str(number): amount for (number, _), amount in left.items()},
        }

    async def _nothing(self, params: Mapping[str, Json]) -> Json:
        """What is to be said of a position that is not open: that it was closed before, or that there never was one."""
        number = _number_of(params)
        if number is None:
            if params.get("position_id") is not None:
                raise NotDone(f"expected a trade's number as position_id, was {params['position_id']!r}")
            return {"closed": [], "note": f"nothing of {params.get('symbol')} was open"}
        try:
            await self._trader.client.get(f"trade/{number}", urgent=True)
        except FreqtradeError as error:
            if isinstance(error, Refused) and error.is_unknown:
                raise NotDone(f"freqtrade knows no trade {number}") from None
        return {"closed": [], "note": f"trade {number} was not open any more"}


class Forcing:
    """Forcing some trades out, each down to a target.

    Args:
        trader: Asks freqtrade.
        targets: `OpenTrade.key` → what may be left of it.
    """

    def __init__(self, trader: Trader, targets: Mapping[tuple[int, int], float]) -> None:
        self._trader = trader
        self._targets = targets
        self._forced: dict[tuple[int, int], float] = {}
        self._asked: dict[tuple[int, int], float] = {}
        self._problems: dict[tuple[int, int], str] = {}
        self._left: list[OpenTrade] = []

    async def all(self) -> None:
        """Ask for all at once, which is faster; what that misses is asked for one by one.

        Raises:
            NotDone: The trader is stopped.
        """
        try:
            await self._trader.force_exit_all()
        except Refused as error:
            if error.is_not_running:
                raise NotDone(STOPPED_WORDS) from None
            return  # it ends at the first trade that fails, so the others are asked for one by one
        except FreqtradeError:
            return
        self._forced = dict.fromkeys(self._targets, time.monotonic())

    async def step(self) -> dict[tuple[int, int], float] | None:
        """Look, and force out what has no exit order; once no more is open than may be: what is left of each.

        Raises:
            NotDone: The trader is stopped.
            FreqtradeError: It can't be asked.
        """
        return await self.act(await self._trader.open_trades())

    async def act(self, open_trades: list[OpenTrade]) -> dict[tuple[int, int], float] | None:
        """As `step`, of what was read just now."""
        trades = {trade.key: trade for trade in open_trades if trade.key in self._targets}
        self._left = [trade for trade in trades.values() if self._excess(trade) is not None]
        if not self._left:
            return {key: trade.amount for key, trade in trades.items()}
        for trade in self._left:
            if self._is_due(trade):
                await self._force(trade)
        return None

    def missing(self) -> str:
        """What is not closed yet."""
        told = []
        for trade in self._left[:5]:
            is_resting = any(order.is_exit for order in trade.orders)
            why = self._problems.get(trade.key) or ("its exit order is not filled yet" if is_resting else "")
            told.append(f"{trade}{': ' + why if why else ''}")
        more = " …" if len(self._left) > 5 else ""
        return f"expected to be closed in time, still open: {'; '.join(told)}{more}"

    def _excess(self, trade: OpenTrade) -> float | None:
        """How much has to go; None where nothing has. An entry without a fill has an amount too, or none."""
        target = self._targets[trade.key]
        if target == 0:
            return trade.amount
        excess = trade.amount - target
        asked = self._asked.setdefault(trade.key, excess)
        was_rounded = trade.key in self._forced and not trade.resting and excess <= ROUNDED * asked
        return None if was_rounded or excess <= SLACK * trade.amount else excess

    def _is_due(self, trade: OpenTrade) -> bool:
        forced = self._forced.get(trade.key)
        if forced is None:
            return True  # an exit order that rests already is replaced: it was to be closed now
        if any(order.is_exit for order in trade.orders):
            self._forced[trade.key] = time.monotonic()
            return False
        return time.monotonic() - forced >= AGAIN_SECONDS

    async def _force(self, trade: OpenTrade) -> None:
        self._forced[trade.key] = time.monotonic()
        excess = self._excess(trade) or 0.0
        try:
            await self._trader.force_exit(trade, trade.part_of(excess) if self._targets[trade.key] else None)
        except Refused as error:
            if error.is_not_running:
                raise NotDone(STOPPED_WORDS) from None
            self._problems[trade.key] = error.message
            if "too small" in error.message:  # no try will change that
                raise NotDone(f"{trade}: {error.message}") from None
        else:
            self._problems.pop(trade.key, None)


async def reduce(trader: Trader, modes: Modes, look: Callable[[], Awaitable[None]]) -> None:
    """While the mode is `closing`, force out what is open until nothing is; then tell that. Until canceled.

    Nothing is open only once freqtrade's loop has ended a round since the pause: that round may have entered still.
    What was closed is journaled by `look` before it is told that nothing is open.
    """
    while True:
        await modes.closing.wait()
        await _reduce_once(trader, modes, look)


async def _reduce_once(trader: Trader, modes: Modes, look: Callable[[], Awaitable[None]]) -> None:
    targets: dict[tuple[int, int], float] = {}
    forcing = Forcing(trader, targets)
    round_ended: float | None = None
    was_flat = False
    there: set[tuple[int, int]] = set()
    while modes.closing.is_set():
        with contextlib.suppress(FreqtradeError, NotDone):  # whoever looks tells that; it is tried again
            if await trader.state() != PAUSED and not modes.changing:
                modes.closing.clear()  # somebody else has decided otherwise; whoever looks tells it
                return
            trades = await trader.open_trades()
            targets.update(dict.fromkeys((trade.key for trade in trades), 0.0))
            await forcing.act(trades)
            there, before = {trade.key for trade in trades}, there
            if there != before:
                await _journal(look)
            ended = await trader.processed_ts() if not trades else None
            if was_flat and not trades and (ended is None or ended > (round_ended or 0.0)):
                await _journal(look)
                if modes.closing.is_set():
                    modes.flat()
                return
            if not trades and not was_flat:
                round_ended = ended
            was_flat = not trades
        await asyncio.sleep(REDUCE_SECONDS)


async def _journal(look: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(FreqtradeError):  # the next look will do else
        await look()


def _number_of(params: Mapping[str, Json]) -> int | None:
    """The trade's number that a position's id begins with."""
    found = re.match(r"\d{1,15}(?!\d)", str(params.get("position_id") or ""), re.ASCII)
    return int(found[0]) if found else None


def _named(params: Mapping[str, Json], trades: list[OpenTrade]) -> list[OpenTrade]:
    if params.get("position_id") is not None:
        return [trade for trade in trades if trade.number == _number_of(params)]
    return [trade for trade in trades if trade.pair == params.get("symbol")]


def _targets(params: Mapping[str, Json], named: list[OpenTrade]) -> dict[tuple[int, int], float]:
    """What may be left of each trade."""
    ratio, quantity = params.get("ratio"), params.get("quantity")
    if isinstance(ratio, int | float) and 0 < ratio < 1:
        return {trade.key: trade.amount * (1 - ratio) for trade in named}
    if not isinstance(quantity, int | float) or quantity <= 0:
        return dict.fromkeys((trade.key for trade in named), 0.0)
    targets, rest = {}, float(quantity)
    for trade in named:
        if rest > 0:
            targets[trade.key] = max(0.0, trade.amount - rest)
            rest -= trade.amount
    return targets
