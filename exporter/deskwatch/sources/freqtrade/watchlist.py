"""`set_watchlist`, as far as freqtrade allows: its pair list is its configuration's; what is on it can be blacklisted.

So the list can be narrowed, and widened again to what was taken off from here. The blacklist is freqtrade's memory
alone: it is gone when freqtrade reads its configuration again, and the list is whole again then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskwatch.events import Json
from deskwatch.sources.freqtrade.errors import Unreachable
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.trader import Trader


class Watchlist:
    """Narrows freqtrade's whitelist.

    Args:
        trader: Asks freqtrade.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._taken_off: set[str] = set()

    async def narrow(self, params: Mapping[str, Json], pursuit: Pursuit) -> tuple[Json, list[str]]:
        """Have exactly these symbols watched: the result, and the symbols.

        Raises:
            NotDone: freqtrade's pair list holds not all of them, or another is watched for an open trade.
        """
        symbols = params.get("symbols")
        wanted = {str(each) for each in symbols} if isinstance(symbols, list) else set()
        if not wanted:
            raise NotDone("expected symbols to watch, was none; to open nothing ask for the mode standby")
        client = self._trader.client
        watched: set[str] = set()
        listed: set[str] | None = None

        async def step() -> bool | None:
            nonlocal watched, listed
            watched = set(_texts(await client.get("whitelist", urgent=True), "whitelist"))
            black = set(_texts(await client.get("blacklist", urgent=True), "blacklist"))
            if listed is None:
                listed = watched | (self._taken_off & black)
                self._check(wanted, listed, black)
            if watched == wanted:
                return True
            if missing := sorted(wanted & self._taken_off & black):
                await client.delete("blacklist", pairs_to_delete=missing)
                self._taken_off -= set(missing)
            if surplus := sorted(watched - wanted - black):
                await client.post("blacklist", {"blacklist": surplus})
                self._taken_off |= set(surplus)
            return None

        await pursuit.until(step, lambda: _missing(watched, wanted))
        note = "by freqtrade's blacklist, which it forgets when it reads its configuration again"
        return {"symbols": sorted(wanted), "note": note}, sorted(wanted)

    def _check(self, wanted: set[str], listed: set[str], black: set[str]) -> None:
        unknown = sorted(wanted - listed)
        if not unknown:
            return
        why = "on freqtrade's blacklist" if set(unknown) <= black else "not on its pair list"
        raise NotDone(
            f"freqtrade's whitelist can only be narrowed from here: {', '.join(unknown[:5])} "
            f"{'is' if len(unknown) == 1 else 'are'} {why}; change its configuration, then ask for reload_config"
        )


def _missing(watched: set[str], wanted: set[str]) -> str:
    surplus, lacking = sorted(watched - wanted), sorted(wanted - watched)
    told = (
        [f"{', '.join(surplus[:5])} still watched (freqtrade watches what it has an open trade of)"] if surplus else []
    )
    told += [f"{', '.join(lacking[:5])} not watched yet"] if lacking else []
    return f"expected freqtrade to watch what was asked for; {' and '.join(told)}"


def _texts(found: Any, name: str) -> list[str]:  # Any: whatever JSON holds
    texts = found.get(name) if isinstance(found, dict) else None
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise Unreachable("garbage", f"expected {name} as a list of pairs, was {str(found)[:80]!r}")
    return texts
