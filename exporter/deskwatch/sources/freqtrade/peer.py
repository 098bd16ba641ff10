"""The freqtrade itself: which start of it, what it acts by, whether it read its configuration anew.

A freqtrade that comes up riskier than an operator asked for last, after a restart or a reload, is lowered to that.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from deskwatch.events import ConfigReloaded, LogRecorded, Mode
from deskwatch.mode import riskier
from deskwatch.sources.freqtrade import log_records
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.control import Control
from deskwatch.sources.freqtrade.identity import Vitals, boot_of, is_new_database, vitals
from deskwatch.sources.freqtrade.memory import OURS, FreqtradeMemory
from deskwatch.sources.freqtrade.reading import Raw, mapping, number, text
from deskwatch.sources.freqtrade.trades import gone
from deskwatch.sources.watched import Watched

LOWERED = "never riskier after a start than was asked for last"
WORKING = ("running", "paused")
"""States in which freqtrade goes through its pairs."""


class Peer:
    """One freqtrade.

    Attributes:
        config: `/show_config`, as it was last.
        is_unsure: Whether it may be another start than the last that was seen.

    Args:
        client: Asks it.
        watched: Told of it.
        memory: What was told.
        control: Knows the mode that its state stands for, and lowers it.
    """

    def __init__(self, client: Client, watched: Watched, memory: FreqtradeMemory, control: Control) -> None:
        self.config: dict[str, Raw] = {}
        self.is_unsure = True
        self._client = client
        self._watched = watched
        self._memory = memory
        self._control = control
        self._vitals: Vitals | None = None
        self._idle_seconds = 0.0
        self._began: float | None = None
        self._seen: float | None = None
        self._was_stopped = False
        self._came_up = False
        self._line = asyncio.Lock()

    @property
    def venue(self) -> str:
        """The exchange."""
        return text(self.config.get("exchange")) or "exchange"

    @property
    def is_shared(self) -> bool:
        """Whether it has but a part of its account."""
        return number(self.config.get("available_capital")) is not None

    @property
    def is_dry(self) -> bool:
        """Whether it trades without money."""
        return self.config.get("dry_run") is True

    @property
    def is_spot(self) -> bool:
        """Whether it trades a spot market."""
        return bool(self.config.get("trading_mode", "spot") == "spot")

    @property
    def is_working(self) -> bool:
        """Whether it goes through its pairs."""
        return self.config.get("state") in WORKING

    def lost(self) -> None:
        """It could not be reached."""
        self.is_unsure = True

    def stopped(self) -> None:
        """Its trader was stopped: the next start of it is no reload."""
        self._was_stopped = True

    async def look(self, *, urgent: bool = False) -> None:
        """Tell what it acts by.

        Raises:
            FreqtradeError: It did not answer.
            Unreadable: The answer makes no sense.
        """
        async with self._line:
            is_unsure, self.is_unsure = self.is_unsure, False  # what comes meanwhile makes it unsure again
            try:
                await self._look(is_unsure=is_unsure, urgent=urgent)
            except BaseException:
                self.is_unsure = True
                raise

    async def _look(self, *, is_unsure: bool, urgent: bool) -> None:
        """What is asked for last is the newest: a state is never older than the start that it is told of."""
        found = vitals(await self._client.get("health", urgent=urgent))
        has_begun = self._vitals is not None and found.startup != self._vitals.startup
        records = None
        if is_unsure or has_begun:
            records = log_records.read(await self._client.get("logs", urgent=urgent))
        before, asked_at = self.config, time.monotonic()
        config = mapping(await self._client.get("show_config", urgent=urgent), "show_config")
        mode = self._control.mode_of(config.get("state"), asked_at)
        is_new = False
        if records is not None:
            is_known = self._watched.told.boot is not None
            is_new = self._identify(config, found, records, mode)
            self._came_up |= is_new and is_known
        if has_begun and not is_new and self._vitals is not None:
            if mode is None:
                found = found._replace(startup=self._vitals.startup)  # it is being made anew: the next look tells
            else:
                before_that = (self._vitals.startup or 0.0) + 1  # it is told in whole seconds
                has_said = log_records.has_reloaded(records or [], before_that)
                self._came_up |= self._reloaded(before, config, has_said=has_said)
        self.config, self._vitals = config, found
        self._seen = time.time() + (self._client.ahead_seconds or 0.0)
        self._was_stopped |= config.get("state") == "stopped"
        self._idle_seconds = self._idle(found)
        if mode is None:
            return
        came_up, self._came_up = self._came_up, False
        if came_up:
            await self._lower(mode)
        else:
            self._watched.show_mode(mode)

    def alive(self) -> None:
        """It has answered."""
        uptime = None if self._began is None else max(time.time() - self._began, 0.0)
        self._watched.alive(idle_seconds=self._idle_seconds, uptime_seconds=uptime)

    def _identify(
        self, config: dict[str, Raw], found: Vitals, records: list[log_records.Logged], mode: Mode | None
    ) -> bool:
        """Tell a start, if it is a new one; whether it is."""
        told = self._watched.told
        if self._seen is None and told.answered:
            self._seen = told.answered + (self._client.ahead_seconds or 0.0)
        boot = boot_of(found, records, told.boot, self._seen)
        if is_new_database(found, self._memory.database):
            self._begin_anew()
        is_new = self._watched.started(
            boot.name,
            mode or self._watched.mode or Mode.ACTIVE,  # a state that nobody knows: the riskiest
            host=urlsplit(self._client.settings.url).hostname or "",
            version=text(config.get("version")),
            strategy=text(config.get("strategy")),
        )
        self._began = boot.began
        if is_new:
            self._was_stopped = config.get("state") == "stopped"
        return is_new

    def _begin_anew(self) -> None:
        """Another database: nothing is known any more of the trades that were told."""
        known = list(self._memory.trades)
        for trade in known:
            for event in gone(trade, self._memory):
                self._watched.emit(event)
        self._say(
            "freqtrade has another database than before, and counts its trades from 1 again: what it made before "
            f"stays in the figures here; {len(known)} trades that were open in the old one are closed here without "
            "a profit; see at the exchange whether they are still open. What it is worth now counts as a transfer, "
            "and is no drawdown"
        )

    def _reloaded(self, before: dict[str, Raw], config: dict[str, Raw], *, has_said: bool) -> bool:
        """Trading began anew in the same process: whether because the configuration was read again.

        Where the log holds nothing of it, a trader that was stopped was started.
        """
        was_stopped, self._was_stopped = self._was_stopped, False
        if self._control.is_reloading:
            return False  # by a command: it is told there
        if was_stopped and not has_said:
            return False
        changed = sorted(key for key in {*before, *config} - {"state"} if before.get(key) != config.get(key))
        self._watched.emit(ConfigReloaded(changed=[text(each) or "" for each in changed][:100]))
        return True

    async def _lower(self, mode: Mode) -> None:
        asked = self._watched.asked_mode()
        if asked is None or not riskier(mode, asked):
            self._watched.show_mode(mode)
            return
        if await self._control.hold(asked, LOWERED):
            self._was_stopped |= asked is Mode.HALTED
            self._say(f"freqtrade came up {mode}, but {asked} was asked for last: it was brought back to that")
        else:
            self._say(f"freqtrade came up {mode}, but {asked} was asked for last, and it does not go back to that")

    def _idle(self, found: Vitals) -> float:
        if not self.is_working or found.processed is None:
            return 0.0
        return max(time.time() + (self._client.ahead_seconds or 0.0) - found.processed, 0.0)

    def _say(self, message: str) -> None:
        self._watched.emit(LogRecorded(message=message, levelname="WARNING", name=OURS))
