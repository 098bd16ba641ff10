"""Watching one freqtrade: polls on a schedule, brought forward by what the stream says, and commands beside them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable

from deskwatch.backoff import Backoff
from deskwatch.events import Event, LogRecorded, WatchlistChanged
from deskwatch.sources.freqtrade import account, locks, log_records
from deskwatch.sources.freqtrade.candles import Candles
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.control import Control
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused, Unreachable
from deskwatch.sources.freqtrade.ledger import Ledger
from deskwatch.sources.freqtrade.memory import OURS, FreqtradeMemory
from deskwatch.sources.freqtrade.peer import Peer
from deskwatch.sources.freqtrade.reading import Raw, Unreadable, listed, mapping, text
from deskwatch.sources.freqtrade.schedule import Schedule
from deskwatch.sources.freqtrade.stream import Cut, Message, Reconnected, Told, messages
from deskwatch.sources.watched import Watched

FREQTRADE = "freqtrade"
"""Who is at the other end of our own connections, `rest` and `websocket`."""
MOST_PAIRS = 500
"""Of a whitelist that are told."""
REFRESH_SECONDS = 300.0
"""Balances that stay the same are told again after this time."""
SETTLE_SECONDS = 5.0
"""How long a live freqtrade may take to ask for its balance once it has placed an order: it keeps what it was told."""
CANCELS = frozenset({"entry_cancel", "exit_cancel"})


class Watching:
    """One run of it."""

    def __init__(self, client: Client, watched: Watched, memory: FreqtradeMemory) -> None:
        self._client = client
        self._watched = watched
        self._memory = memory
        self._control = Control(client, watched, self.look)
        self._peer = Peer(client, watched, memory, self._control)
        self._ledger = Ledger(client, watched, memory)
        self._candles = Candles(watched)
        self._schedule = Schedule()
        self._woken = asyncio.Event()
        self._back = asyncio.Event()
        """Set when the stream is there again: then REST is too."""
        self._has_stream = False
        self._balances_told = float("-inf")
        self._complained: set[str] = set()
        self._looks = {
            "status": self._ledger.look,
            "state": self._look_at_state,
            "balance": self._look_at_balance,
            "profit": self._look_at_profit,
            "locks": self._look_at_locks,
            "logs": self._look_at_logs,
            "whitelist": self._look_at_whitelist,
        }

    async def run(self) -> None:
        """Watch until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll(), name="freqtrade-polls")
            group.create_task(self._listen(), name="freqtrade-stream")
            group.create_task(self._control.serve(), name="freqtrade-commands")

    async def look(self) -> None:
        """Read what commands change, at once, and tell what differs.

        Raises:
            FreqtradeError: It did not answer, or not what freqtrade answers.
        """
        try:
            await self._peer.look(urgent=True)
            await self._ledger.look(urgent=True)
        except Unreadable as error:
            raise Refused(200, str(error)) from None

    async def _poll(self) -> None:
        backoff = Backoff(first_seconds=0.5)
        while True:
            try:
                await self._meet()
                backoff.reset()
                while True:
                    await self._next()
            except (FreqtradeError, Unreadable) as error:
                reason = error.reason if isinstance(error, FreqtradeError) else "garbage"
                self._complain(reason, f"freqtrade can't be watched: {error}")
                self._peer.lost()
                self._watched.health.lost()
                self._watched.connected("rest", FREQTRADE, up=False, reason=reason)
            self._back.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff.next_seconds()):
                    await self._back.wait()

    async def _meet(self) -> None:
        """First contact, or the first after it was away: what it is, then all that was missed, then the rest."""
        await self._peer.look()
        self._watched.connected("rest", FREQTRADE, up=True)
        self._ledger.venue = self._peer.venue
        self._candles.configure(self._peer.config)
        await self._ledger.catch_up()
        await self._ledger.look()
        self._schedule.all_at_once()
        for what in ("state", "status"):
            self._schedule.looked(what)

    async def _next(self) -> None:
        """Wait for what is due next, and look at it."""
        self._woken.clear()
        due = self._schedule.due()
        if not due:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._schedule.wait_seconds()):
                    await self._woken.wait()
            return
        what = due[0]
        try:
            await self._looks[what]()
        except Unreachable as error:
            if error.reason != "timeout" or what == "state":
                raise
            await self._peer.look()  # raises where it is freqtrade that is away, not its exchange
            self._complain(what, f"freqtrade does not say its {what} in time: {error}")
        except Refused as error:  # of this alone: its exchange may be away, or it may be an old version
            self._complain(what, f"freqtrade does not say its {what}: {error}")
        except Unreadable as error:
            self._watched.health.failed("garbage")
            self._complain(what, f"freqtrade's {what} can't be read: {error}")
        self._schedule.looked(what)
        if what == "status":
            await self._ledger.mend()
        self._peer.alive()
        is_expected = self._has_stream and self._peer.is_working
        self._candles.judge(self._peer.venue, is_expected=is_expected)

    async def _listen(self) -> None:
        async with contextlib.aclosing(messages(self._client)) as stream:
            async for message in stream:
                self._hear(message)

    def _hear(self, message: Message) -> None:
        match message:
            case Cut():
                if self._has_stream:  # it may have ended: that is to be known at once
                    self._peer.is_unsure = True
                    self._schedule.stir("status")
                self._has_stream = False
                self._watched.connected("websocket", FREQTRADE, up=False, reason=message.reason)
            case Reconnected():
                self._has_stream = True
                self._back.set()
                self._watched.connected("websocket", FREQTRADE, up=True)
                self._peer.is_unsure = True
                self._schedule.all_at_once()
            case Told():
                self._take(message)
        self._woken.set()

    def _take(self, message: Told) -> None:
        self._watched.health.heard()
        if message.topic == "new_candle":
            self._candles.came(message.body, self._ledger.venue)
        elif message.topic in CANCELS:
            trade = message.body.get("trade_id")
            if isinstance(trade, int) and (reason := text(message.body.get("reason"))):
                self._ledger.reasons[str(trade)] = reason
        elif message.topic == "status" and message.body.get("status") == "stopped":
            self._peer.stopped()
        self._schedule.stir(message.topic)

    # What is looked at

    async def _look_at_state(self) -> None:
        await self._peer.look()
        self._ledger.venue = self._peer.venue
        self._candles.configure(self._peer.config)

    async def _look_at_balance(self) -> None:
        raw = await self._client.get("balance")
        is_due = time.monotonic() - self._balances_told >= REFRESH_SECONDS
        self._tell(account.balances(raw, self._memory, self._peer.venue, all_of_them=is_due))
        if is_due:
            self._balances_told = time.monotonic()
        more = await self._not_in(raw)
        if more is None:
            return
        filling = self._ledger.filling if self._peer.is_spot else None
        worth = account.equity(raw, is_shared=self._peer.is_shared, more=more, filling=filling)
        if worth is not None:
            moved = account.moved(worth, self._memory, self._peer.venue)
            self._tell([worth] if moved is None else [moved, worth])

    async def _not_in(self, balance: Raw) -> float | None:
        """What a balance lacks by orders for entries, or counts twice; None where those have just changed."""
        is_dry, is_spot, is_shared = self._peer.is_dry, self._peer.is_spot, self._peer.is_shared
        is_right = (is_dry and not is_spot) or (is_spot and not is_dry and not is_shared)
        if is_right or not account.is_waiting(balance):
            return 0.0
        before = self._ledger.waiting
        await self._ledger.look()
        waiting = self._ledger.waiting
        is_fresh = not is_dry and time.monotonic() - self._ledger.changed < SETTLE_SECONDS
        if before != waiting or is_fresh:
            self._schedule.sooner("balance")
            return None
        if is_shared:
            return sum(each.stake for each in waiting if not each.adds)
        return -sum(each.stake for each in waiting if each.adds) if is_dry else sum(each.rest for each in waiting)

    async def _look_at_profit(self) -> None:
        self._ledger.check(await self._client.get("profit"))

    async def _look_at_locks(self) -> None:
        self._tell(locks.alerts(await self._client.get("locks"), self._memory, time.time()))

    async def _look_at_logs(self) -> None:
        self._tell(log_records.untold(log_records.read(await self._client.get("logs")), self._memory))

    async def _look_at_whitelist(self) -> None:
        raw = mapping(await self._client.get("whitelist"), "whitelist")
        pairs = [pair for each in listed(raw.get("whitelist"), "whitelist")[:MOST_PAIRS] if (pair := text(each))]
        if self._memory.watchlist is None or set(pairs) != set(self._memory.watchlist):
            self._watched.emit(WatchlistChanged(symbols=pairs))

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._watched.emit(event)

    def _complain(self, what: str, words: str) -> None:
        """Say it once in a run: what lasts is shown by the connection and by the age of the figures."""
        if what not in self._complained:
            self._complained.add(what)
            self._watched.emit(LogRecorded(message=words, levelname="WARNING", name=OURS))
