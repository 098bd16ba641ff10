"""`lock_pair` and `unlock_pair`, freqtrade's own: nothing new is entered in a pair for a while."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from deskwatch.events import Json
from deskwatch.sources.freqtrade.errors import FreqtradeError, Unreachable
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.reading import seconds
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


_LATEST = 1e11
"""A moment that can still be told, Unix time."""


class _Lock(NamedTuple):
    id: int
    reason: object
    until: float
    """Unix time."""


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
    until = time.time() + wanted.seconds
    reason = (pursuit.command.reason or f"deskwatch: {pursuit.command.actor}")[:200]
    body = [{"pair": wanted.symbol, "until": _text(until), "side": "*", "reason": reason}]

    async def step() -> list[_Lock] | None:
        found = _held(await trader.client.get("locks", urgent=True), wanted.symbol)
        if not (ours := [one for one in found if one.reason == reason and one.until >= int(until)]):
            found = _held(await trader.client.post("locks", body), wanted.symbol)
            ours = [one for one in found if one.reason == reason and one.until >= int(until)]
        return ours or None

    found = await pursuit.until(step, lambda: f"expected a lock of {wanted.symbol} so long, but freqtrade shows none")
    last = min(one.until for one in found)  # freqtrade locks up to the end of a candle
    result: dict[str, Json] = {"locks": [one.id for one in found], "until": _text(min(last, _LATEST))}
    if not await _is_watched(trader, wanted.symbol):
        result["note"] = f"{wanted.symbol} is not on freqtrade's whitelist now: is it spelled as there?"
    return result


async def unlock(trader: Trader, params: Mapping[str, Json], pursuit: Pursuit) -> Json:
    """End all locks of a pair, and see them gone.

    Raises:
        NotDone: One is still there.
    """
    wanted = _wanted(params, UnlockPair)

    async def step() -> bool | None:
        if not _held(await trader.client.get("locks", urgent=True), wanted.symbol):
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


def _text(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="seconds")


async def _is_watched(trader: Trader, symbol: str) -> bool:
    """Whether freqtrade enters this pair at all: it locks any text. What can't be read is taken for watched."""
    try:
        found = await trader.client.get("whitelist", urgent=True)
    except FreqtradeError:
        return True
    pairs = found.get("whitelist") if isinstance(found, dict) else None
    return symbol == "*" or not isinstance(pairs, list) or symbol in pairs


def _held(found: Any, pair: str) -> list[_Lock]:  # Any: whatever JSON holds
    """The locks of a pair that are in force."""
    locks = found.get("locks") if isinstance(found, dict) else None
    if not isinstance(locks, list):
        raise Unreachable("garbage", f"expected locks as a list, was {str(found)[:80]!r}")
    return [
        _Lock(one["id"], one.get("reason"), seconds(one.get("lock_end_timestamp")) or 0.0)
        for one in locks
        if isinstance(one, dict)
        and one.get("pair") == pair
        and one.get("active", True)
        and isinstance(one.get("id"), int)
    ]
