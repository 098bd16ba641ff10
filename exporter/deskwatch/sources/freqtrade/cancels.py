"""`cancel_orders`: what rests at the exchange is canceled, of a symbol or all. Stop-losses stay."""

from __future__ import annotations

from collections.abc import Mapping

from deskwatch.events import Json
from deskwatch.sources.freqtrade.errors import Refused
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import OpenTrade, Trader


async def cancel_orders(trader: Trader, params: Mapping[str, Json], pursuit: Pursuit) -> Json:
    """Cancel what rests now; an order that is filled meanwhile counts as gone.

    Raises:
        NotDone: Something still rests when the time is over, or the trader is stopped.
    """
    symbol = params.get("symbol")
    problems: dict[int, str] = {}
    wanted: set[str] | None = None
    left: list[OpenTrade] = []

    async def step() -> list[str] | None:
        nonlocal wanted, left
        trades = [trade for trade in await trader.open_trades() if symbol in (None, trade.pair)]
        if wanted is None:  # an order that is placed later was decided later
            wanted = {order.id for trade in trades for order in trade.resting}
        left = [trade for trade in trades if any(order.id in wanted for order in trade.resting)]
        if not left:
            return sorted(wanted)
        for trade in left:
            try:
                await trader.cancel(trade)
            except Refused as error:
                if error.is_unknown:
                    raise
                if error.is_not_running:
                    raise NotDone("freqtrade is stopped, and cancels nothing then; ask for standby first") from None
                problems[trade.number] = error.message  # it may have been filled just now
        return None

    def missing() -> str:
        told = "; ".join(f"{trade}: {problems.get(trade.number, 'its order rests still')}" for trade in left[:5])
        return f"expected no order to rest, but {told or 'it could not be read what does'}"

    return {"canceled": [*await pursuit.until(step, missing)]}
