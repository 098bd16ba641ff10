"""`lock_pair` and `unlock_pair`, freqtrade's own: nothing new is entered in a pair for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from deskwatch.events import Json
from deskwatch.sources.freqtrade.errors import Unreachable
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import Trader
from deskwatch.sources.watched import Watched

_Symbol = Annotated[str, Meta(min_length=1, max_length=100, description="as freqtrade spells it: BTC/USDT; * for all")]


class LockPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of `lock_pair`."""

    symbol: _Symbol
    seconds: Annotated[float, Meta(gt=0, le=31_536_000, description="how long nothing new is entered")]


class UnlockPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of `unlock_pair`."""

    symbol: _Symbol


_Wanted = TypeVar("_Wanted", LockPair, UnlockPair)


def offer(watched: Watched) -> None:
    """Let operators know."""
    watched.offer("lock_pair", LockPair, description="Enter nothing new in a pair for a while.")
    watched.offer("unlock_pair", UnlockPair, description="End all locks of a pair.")


async def lock(trader: Trader, params: Mapping[str, Json], pursuit: Pursuit) -> Json:
    """Lock a pair, and see the lock.

    Raises:
        NotDone: It was not seen.
    """
    wanted = _wanted(params, LockPair)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wanted.seconds)
    reason = pursuit.command.reason or f"deskwatch: {pursuit.command.actor}"
    body = [{"pair": wanted.symbol, "until": until.isoformat(), "side": "*", "reason": reason[:200]}]

    async def step() -> list[int] | None:
        if not (found := _locks_of(await trader.client.get("locks", urgent=True), wanted.symbol, reason[:200])):
            found = _locks_of(await trader.client.post("locks", body), wanted.symbol, reason[:200])
        return found or None

    found = await pursuit.until(step, lambda: f"expected a lock of {wanted.symbol}, but freqtrade shows none")
    return {"locks": found, "until": until.isoformat(timespec="seconds")}


async def unlock(trader: Trader, params: Mapping[str, Json], pursuit: Pursuit) -> Json:
    """End all locks of a pair, and see them gone.

    Raises:
        NotDone: One is still there.
    """
    wanted = _wanted(params, UnlockPair)

    async def step() -> bool | None:
        if not _locks_of(await trader.client.get("locks", urgent=True), wanted.symbol):
            return True
        await trader.client.post("locks/delete", {"pair": wanted.symbol})
        return None

    await pursuit.until(step, lambda: f"expected no lock of {wanted.symbol}, but freqtrade shows one")
    return {"symbol": wanted.symbol}


def _wanted(params: Mapping[str, Json], kind: type[_Wanted]) -> _Wanted:
    """The parameters, checked again: what was given before the command was offered was not."""
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise NotDone(f"the parameters don't fit: {error}") from None


def _locks_of(found: Any, pair: str, reason: str | None = None) -> list[int]:  # Any: whatever JSON holds
    locks = found.get("locks") if isinstance(found, dict) else None
    if not isinstance(locks, list):
        raise Unreachable("garbage", f"expected locks as a list, was {str(found)[:80]!r}")
    return [
        one["id"]
        for one in locks
        if isinstance(one, dict)
        and one.get("pair") == pair
        and one.get("active", True)
        and isinstance(one.get("id"), int)
        if reason is None or one.get("reason") == reason
    ]
