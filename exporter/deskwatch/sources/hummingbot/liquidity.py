"""Funding and range positions of a Hummingbot.

A range position (liquidity between two prices) is neither long nor short, and the vocabulary has no event for it: it
is told in the activity, with all that Hummingbot said of it.
"""

from __future__ import annotations

import time

from deskwatch.events import ErrorOccurred, FundingPaid, LogRecorded
from deskwatch.scrub import scrub_value
from deskwatch.sources.hummingbot.payload import Fields, name, number, quote_of, word
from deskwatch.sources.lateness import late
from deskwatch.sources.watched import Watched

_RANGE = {
    "RangePositionLiquidityAdded": "liquidity added to",
    "RangePositionLiquidityRemoved": "liquidity removed from",
}


def take(watched: Watched, kind: str, data: Fields, at: float | None) -> bool:
    """Tell a payment of funding or a change of a range position; False where it is neither."""
    when = late(at, time.time(), 1.0)
    pair = name(data.get("trading_pair"))
    if kind == "FundingPaymentCompleted":
        amount, asset = number(data.get("amount")), quote_of(pair)
        if amount is None or asset is None:
            return False
        venue = name(data.get("market")) or "hummingbot"
        watched.emit(FundingPaid(venue=venue, symbol=pair, amount=amount, asset=asset, happened_timestamp_seconds=when))
    elif kind in _RANGE:
        watched.emit(
            LogRecorded(
                message=f"{_RANGE[kind]} {pair or 'a range'}",
                levelname="INFO",
                name="events",
                extra=scrub_value(data),
                happened_timestamp_seconds=when,
            )
        )
    elif kind == "RangePositionUpdateFailure":
        action = word(data.get("order_action")) or "change"
        watched.emit(
            ErrorOccurred(
                component="range_position",
                kind=kind,
                message=f"a range position could not be changed: {action}",
                extra=scrub_value(data),
                happened_timestamp_seconds=when,
            )
        )
    else:
        return False
    return True
