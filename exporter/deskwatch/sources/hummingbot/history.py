"""What Hummingbot's history holds that was not heard.

MQTT keeps nothing for whoever is away, so that after each gap `/history` is asked for the trades since, and those that
were not told are. It has the trades of the strategy's configuration that is loaded now, and none where none is: then
it is asked again once a strategy runs.
"""

from __future__ import annotations

import asyncio
import time

from deskwatch.sources.hummingbot.errors import NoReply
from deskwatch.sources.hummingbot.fills import of_history
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.hummingbot.orders import Orders
from deskwatch.sources.hummingbot.payload import rows
from deskwatch.sources.hummingbot.rpc import Rpc
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.watched import Watched

MARGIN_SECONDS = 600.0
"""How much longer than the gap is asked for: clocks differ, and a trade is in its database a little later."""
AT_ONCE = 200
"""Trades that are told before others get their turn."""
DAY = 86_400.0


class History:
    """Closes gaps.

    Attributes:
        has_gap: Whether something may not have been heard.
    """

    def __init__(
        self, watched: Watched, memory: HummingbotMemory, settings: Settings, rpc: Rpc, orders: Orders
    ) -> None:
        self.has_gap = True
        self._is_in_doubt = False
        """It was asked, and may not have had what there is."""
        self._watched = watched
        self._memory = memory
        self._settings = settings
        self._rpc = rpc
        self._orders = orders

    def missed(self) -> None:
        """Something may not have been heard."""
        self.has_gap = True

    def heard(self) -> None:
        """All is heard as of now."""
        if not self.has_gap and not self._is_in_doubt:
            self._memory.contact = time.time()

    async def reconcile(self, *, can_tell: bool) -> None:
        """Tell the trades that were not, where there is a gap.

        Args:
            can_tell: Whether a strategy is loaded, as far as that is known: without one no history is no word.
        """
        if self._is_in_doubt and can_tell:
            self.has_gap = True
        if not self.has_gap:
            return
        if self._rpc.is_silent:
            self._orders.settle()
            return
        asked = time.time()
        if self._memory.contact:
            days = (max(asked - self._memory.contact, 0.0) + MARGIN_SECONDS) / DAY
        else:
            days = self._settings.history_days
        if days > 0:
            try:
                reply = await self._rpc.ask("history", {"days": days, "async_backend": False})
            except NoReply:
                self._orders.settle()
                return  # the gap stays
            if not reply.is_well:
                self._watched.health.failed("history")
                self._orders.settle()
                return
            trades = rows(reply.data.get("trades"))
            fills = [fill for row in trades if (fill := of_history(row)) is not None]
            if len(fills) < len(trades):
                self._watched.health.failed("trade")
            fills.sort(key=lambda one: one.at or 0.0)
            for start in range(0, len(fills), AT_ONCE):
                self._orders.recover(fills[start : start + AT_ONCE])
                await asyncio.sleep(0)
            can_tell = can_tell or bool(trades)
        self._orders.settle()
        self.has_gap, self._is_in_doubt = False, not can_tell
        if can_tell:
            self._memory.contact = asked
