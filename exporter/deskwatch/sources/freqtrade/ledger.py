"""Trades, read back from freqtrade and compared with what was told: whatever was missed meanwhile is told now.

`/status` has the open trades, `/trades` the closed ones in pages. Whether all closed ones are told is known by their
number; where it differs, all pages are read, which shows what was missed and what was deleted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

from deskwatch.events import Event, LogRecorded
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.memory import GONE, OURS, FreqtradeMemory
from deskwatch.sources.freqtrade.prices import Prices
from deskwatch.sources.freqtrade.reading import (
    MOST,
    Raw,
    Trade,
    Unreadable,
    Waiting,
    listed,
    mapping,
    number,
    trade,
    trade_id,
)
from deskwatch.sources.freqtrade.trades import Reasons, differences, gone
from deskwatch.sources.watched import Watched

NEWEST = 50
"""Closed trades that are asked for where a few are missing."""
PAGE = 250
"""Closed trades that are asked for where many are. freqtrade makes some 3 KB of each."""
AGAIN_SECONDS = 60.0
"""All pages are read at most this often, should their number never agree."""
CENT = 1e-6
"""A part of the profit: `/profit` is rounded to 8 places, and sums are float's."""
BREATH = 20
"""Trades that are told between two breaths of the event loop."""


class _Page(NamedTuple):
    trades: list[Trade]
    ids: list[str]
    total: int


class Ledger:
    """Of one freqtrade. What it reads and tells of trades is one thing after another: an old answer is no news.

    Attributes:
        venue: The exchange, as `/show_config` has it.
        reasons: Why orders of trades were canceled, as the stream told.
        is_behind: Whether closed trades are known to be missing.
        waiting: Open entry orders.
        changed: `time.monotonic()` when those were last seen to be others than before.
        filling: Coin → how much of it open entry orders have filled, of those that have an order filled in part.
    """

    def __init__(self, client: Client, watched: Watched, memory: FreqtradeMemory) -> None:
        self.venue = ""
        self.reasons: Reasons = {}
        self.is_behind = False
        self.waiting: list[Waiting] = []
        self.changed = float("-inf")
        self.filling: dict[str, float] = {}
        self._client = client
        self._watched = watched
        self._memory = memory
        self._prices = Prices(watched)
        self._line = asyncio.Lock()
        self._walked = float("-inf")
        self._accepted: tuple[float, float] | None = None
        self._complained: set[str] = set()

    async def look(self, *, urgent: bool = False) -> None:
        """Tell what has changed of the open trades, and of those that were open.

        Raises:
            FreqtradeError: It did not answer.
            Unreadable: The answer makes no sense.
        """
        async with self._line:
            raw = listed(await self._client.get("status", urgent=urgent), "status")
            now = time.time()
            there = {trade_id(each) for each in raw}
            opened = [one for one in self._read(raw) if one.is_open]
            self._wait(opened)
            reused = [one.id for one in opened if self._memory.is_closed(one.id)]
            if reused:
                self._forget(reused)
            for place, one in enumerate(opened):
                self._tell(differences(one, self._memory, now, self.reasons))
                self._prices.saw(one)
                await _breathe(place)
            missing = [known for known in self._memory.trades if known not in there]
            if missing and None not in there:
                await self._newest(urgent=urgent)
                for known in missing:
                    self._left_behind(known)
            self.reasons.clear()

    def _wait(self, opened: list[Trade]) -> None:
        waiting = [each for one in opened for each in one.waiting()]
        if waiting != self.waiting:
            self.waiting, self.changed = waiting, time.monotonic()
        self.filling = {}
        for one in opened:
            for order in one.orders:
                if order.is_open and order.filled:
                    more = order.filled if order.is_entry else 0.0
                    self.filling[one.base] = self.filling.get(one.base, 0.0) + more

    async def catch_up(self) -> None:
        """Tell the closed trades that were not told: by id, and so about as they were opened.

        Raises:
            FreqtradeError: It did not answer.
            Unreadable: The answer makes no sense.
        """
        async with self._line:
            await self._newest(urgent=False)
        while self.is_behind:
            await self._walk()

    async def mend(self) -> None:
        """Read all closed trades where some are missing, but not often.

        Raises:
            FreqtradeError: It did not answer.
            Unreadable: The answer makes no sense.
        """
        if self.is_behind and time.monotonic() - self._walked >= AGAIN_SECONDS:
            await self._walk()

    def check(self, raw: Raw) -> None:
        """See whether the closed trades that were told are those that `/profit` counts; else they are read again.

        A difference that reading all of them did not mend (deleted trades) is not looked into twice.

        Raises:
            Unreadable: It is no answer of `/profit`.
        """
        found = mapping(raw, "profit")
        count, profit = number(found.get("closed_trade_count")), number(found.get("profit_closed_coin"))
        if count is None or profit is None:
            return
        difference = (count - self._memory.closed_count, round(profit - self._memory.profit, 6))
        if difference != self._accepted and (difference[0] or abs(difference[1]) > CENT * max(abs(profit), 1.0)):
            self._accepted = difference
            self.is_behind = True

    async def _newest(self, *, urgent: bool) -> None:
        """Tell the closed trades that were closed last, and find out whether more are missing."""
        page = await self._page(NEWEST, 0, is_newest_first=True, urgent=urgent)
        if page.total - self._memory.closed_count <= len(page.trades):
            await self._tell_page(page)
        self.is_behind = self._memory.closed_count != page.total

    async def _walk(self) -> None:
        """All closed trades, by id. It ends up to date, or knowing that more can't be had."""
        self._walked = time.monotonic()
        seen: set[str] = set()
        has_shrunk = False
        offset, total = 0, 1
        while offset < total:
            async with self._line:
                page = await self._page(PAGE, offset, is_newest_first=False)
                await self._tell_page(page)
            seen.update(page.ids)
            has_shrunk |= offset > 0 and page.total < total
            offset, total = offset + len(page.ids), page.total
            if not page.ids:
                break
        self.is_behind = False
        if has_shrunk:  # what was deleted meanwhile has moved another out of the pages that were to come
            self.is_behind = self._memory.closed_count != total
        elif len(seen) >= total:  # else some can't be read: the next look at /profit tells
            ranges = self._memory.closed
            lost = [str(each) for first, last in ranges for each in range(first, last + 1) if str(each) not in seen]
            if lost:
                self._forget(lost)

    async def _page(self, limit: int, offset: int, *, is_newest_first: bool, urgent: bool = False) -> _Page:
        raw = await self._client.get(
            "trades",
            urgent=urgent,
            limit=limit,
            offset=offset,
            order_by_id="false" if is_newest_first else "true",  # older versions know it not, and sort by id
        )
        found = mapping(raw, "trades")
        items = listed(found.get("trades"), "trades")
        total = number(found.get("total_trades"))
        if total is None or not 0 <= total < MOST:
            raise Unreadable(f"expected total_trades as a number, was {str(found.get('total_trades'))[:40]!r}")
        trades = [one for one in self._read(items) if not one.is_open]
        return _Page(trades, [one for each in items if (one := trade_id(each)) is not None], int(total))

    async def _tell_page(self, page: _Page) -> None:
        for place, one in enumerate(sorted(page.trades, key=lambda each: each.closed or 0.0)):
            self._tell(differences(one, self._memory, time.time(), self.reasons))
            await _breathe(place)

    def _read(self, items: list[Raw]) -> list[Trade]:
        """Those that can be read. What can't be is told once."""
        found = []
        for each in items:
            try:
                found.append(trade(each, self.venue))
            except Unreadable as error:
                self._complain(str(error))
        return found

    def _complain(self, words: str) -> None:
        if words in self._complained or len(self._complained) >= 100:
            return
        self._complained.add(words)
        self._watched.health.failed("garbage")
        self._say(f"freqtrade told something that can't be read: {words}")

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._watched.emit(event)

    def _left_behind(self, trade: str) -> None:
        """A trade that was open is not open, and perhaps not closed: its entry was canceled, or it was deleted."""
        known = self._memory.trades.get(trade)
        if known is None or (known.is_position and self.is_behind):
            return  # it was closed; or it may be among those that are still to be read
        self._tell(gone(trade, self._memory, self.reasons))
        if known.is_position:
            self._say(
                f"freqtrade has no trade {trade} ({known.symbol}) any more: it was deleted there, and its profit is "
                f"not known; see at {known.venue} whether the position is still open",
            )

    def _forget(self, ids: list[str]) -> None:
        for start in range(0, len(ids), 1000):
            some = ids[start : start + 1000]
            shown = ", ".join(some[:10]) + (" …" if len(some) > 10 else "")
            self._say(
                f"freqtrade has {len(some)} closed trades no longer ({shown}): they were deleted there; what they "
                "made stays in the figures here, and so differs from /profit",
                {GONE: some},
            )

    def _say(self, message: str, extra: dict[str, Raw] | None = None) -> None:
        self._watched.emit(LogRecorded(message=message, levelname="WARNING", name=OURS, extra=extra))


async def _breathe(place: int) -> None:
    if place % BREATH == BREATH - 1:
        await asyncio.sleep(0)
