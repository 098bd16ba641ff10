"""What `/performance` tells: the positions that controllers hold, and each controller's totals.

Only Hummingbot's script `v2_with_controllers` publishes it, once in a second: `{controller: {"performance":
{"realized_pnl_quote", …, "positions_summary": […]}, "custom_info": {…}}}`, and `{controller: {}}` when it stops. A
summary has `connector_name, trading_pair, side, amount, breakeven_price, unrealized_pnl_quote, realized_pnl_quote,
cum_fees_quote, volume_traded_quote`. Realized profit and fees are those of the position's whole life, over all the
times that it was flat, and profit is before fees (`strategy_v2/executors/data_types.py`).

Positions become events. A controller's totals become a line of the activity and no metric: its volume and fees are
those of the fills, which are told as such, and its realized profit is also that of executors that kept no position.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

from deskwatch.events import LogRecorded, PositionClosed, PositionOpened, PositionUpdated
from deskwatch.sources.hummingbot.memory import Held, HummingbotMemory, Life
from deskwatch.sources.hummingbot.payload import Fields, fields, name, number, quote_of, rows, word
from deskwatch.sources.watched import Watched

EVERY_SECONDS = 5.0
"""Of the messages in between the newest counts."""
TOTALS_SECONDS = 60.0
MOST_POSITIONS = 200
_FIGURES = ("realized_pnl_quote", "unrealized_pnl_quote", "global_pnl_quote", "global_pnl_pct", "volume_traded")


class _Summary(NamedTuple):
    position_id: str
    venue: str
    symbol: str
    side: str
    asset: str
    quantity: float
    entry_price: float
    unrealized_pnl: float | None
    life: Life


class Performance:
    """Compares what controllers hold with what was told, and tells the difference."""

    def __init__(self, watched: Watched, memory: HummingbotMemory, *, strategy: str | None) -> None:
        self._watched = watched
        self._memory = memory
        self._strategy = strategy
        self._totals_at = 0.0
        self._totals: Fields = {}

    def take(self, told: Fields) -> bool:
        """Tell what is new in a message; whether a controller is at work by it."""
        working = {name(one): fields(of) for one, of in told.items() if name(one) and fields(of)}
        if not working:
            self._tell_totals(due=True)
            return False
        summaries: dict[str, _Summary] = {}
        seen: Counter[str] = Counter()
        for controller, of in list(working.items())[:MOST_POSITIONS]:
            performance = fields(of.get("performance"))
            for row in rows(performance.get("positions_summary"))[:MOST_POSITIONS]:
                summary = _summary(controller, row, seen)
                if summary is not None and len(summaries) < MOST_POSITIONS:
                    summaries[summary.position_id] = summary
            figures = {each: number(performance.get(each)) for each in _FIGURES}
            self._totals[controller] = {each: figure for each, figure in figures.items() if figure is not None}
        self._totals = dict(list(self._totals.items())[-MOST_POSITIONS:])
        for summary in summaries.values():
            self._compare(summary)
        for position_id in [one for one in self._memory.positions if one not in summaries]:
            controller = position_id.partition(" ")[0]
            if controller in working:  # it is not in its controller's list any more
                self._close(position_id, self._memory.positions[position_id], "gone")
        self._tell_totals(due=time.monotonic() - self._totals_at >= TOTALS_SECONDS)
        return True

    def _compare(self, summary: _Summary) -> None:
        before = self._memory.lives.get(summary.position_id)
        if before is not None and summary.life.volume < before.volume * 0.999:  # its sums began anew with Hummingbot
            self._memory.closed.pop(summary.position_id, None)
        self._memory.lives[summary.position_id] = summary.life
        held = self._memory.positions.get(summary.position_id)
        if held is not None and (summary.quantity <= 0 or held.side != summary.side):
            self._close(summary.position_id, held, None)
            held = None
        if summary.quantity <= 0:
            return
        if held is None:
            self._watched.emit(
                PositionOpened(
                    position_id=summary.position_id,
                    venue=summary.venue,
                    symbol=summary.symbol,
                    side=summary.side,
                    quantity=summary.quantity,
                    entry_price=summary.entry_price,
                    asset=summary.asset,
                    strategy=self._strategy,
                )
            )
        now = (summary.quantity, summary.entry_price, summary.unrealized_pnl)
        if held is None or (held.quantity, held.entry_price, held.unrealized_pnl) != now:
            self._watched.emit(
                PositionUpdated(
                    position_id=summary.position_id,
                    quantity=summary.quantity,
                    entry_price=summary.entry_price,
                    unrealized_pnl=summary.unrealized_pnl,
                    mark_price=_mark(summary),
                )
            )

    def _close(self, position_id: str, held: Held, reason: str | None) -> None:
        """Tell a closing, with what was realized since the last: so all closings make up what Hummingbot says."""
        told = self._memory.closed.get(position_id, 0.0)
        life = self._memory.lives.get(position_id)
        self._watched.emit(
            PositionClosed(
                position_id=position_id,
                venue=held.venue,
                symbol=held.symbol,
                realized_pnl=life.profit - told if life is not None else None,
                asset=held.asset,
                strategy=self._strategy,
                reason=reason,
            )
        )

    def _tell_totals(self, *, due: bool) -> None:
        if not due or not self._totals:
            return
        for controller, figures in self._totals.items():
            if not figures:
                continue
            told = ", ".join(f"{each} {figure:g}" for each, figure in figures.items())
            self._watched.emit(
                LogRecorded(
                    message=f"controller {controller}: {told}",
                    levelname="INFO",
                    name="performance",
                    extra={"controller": controller, **figures},
                )
            )
        self._totals, self._totals_at = {}, time.monotonic()


def is_last_word(told: Fields) -> bool:
    """Whether its controllers say that they end: each with an object that holds nothing. Other oddities say nothing."""
    return bool(told) and all(of == {} for of in told.values())


def _summary(controller: str, row: Fields, seen: Counter[str]) -> _Summary | None:
    venue, symbol = name(row.get("connector_name")), name(row.get("trading_pair"))
    asset = quote_of(symbol)
    side = {"buy": "long", "sell": "short"}.get(word(row.get("side")))
    quantity, entry = number(row.get("amount")), number(row.get("breakeven_price"))
    if not venue or asset is None or side is None or quantity is None or entry is None or entry < 0:
        return None
    position_id = f"{controller} {venue} {symbol}"
    seen[position_id] += 1
    if seen[position_id] > 1:  # hedged: one to each side
        position_id += f" {seen[position_id]}"
    return _Summary(
        position_id=position_id,
        venue=venue,
        symbol=symbol,
        side=side,
        asset=asset,
        quantity=abs(quantity),
        entry_price=entry,
        unrealized_pnl=number(row.get("unrealized_pnl_quote")),
        life=Life(
            volume=number(row.get("volume_traded_quote")) or 0.0,
            profit=(number(row.get("realized_pnl_quote")) or 0.0) - (number(row.get("cum_fees_quote")) or 0.0),
        ),
    )


def _mark(summary: _Summary) -> float | None:
    """The price that Hummingbot valued it at: its profit is the price's way from the entry, times the quantity."""
    if summary.unrealized_pnl is None:
        return None
    way = summary.unrealized_pnl / summary.quantity
    return max(summary.entry_price + (way if summary.side == "long" else -way), 0.0)
