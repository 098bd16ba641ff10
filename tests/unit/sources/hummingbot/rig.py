"""A scripted Hummingbot behind a real broker, for the contract of sources."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Self

from deskwatch.events import Event, OrderFilled
from tests.brokers import Broker
from tests.fakes.hummingbot import ScriptedHummingbot


class HummingbotRig:
    """A fact is a fill. It is away where the broker is: Hummingbot trades on, and says later what it could not."""

    kind = "hummingbot"
    module: str | None = None
    keeps_history = True
    has_commands = True

    @property
    def changes(self) -> int:
        """Starts and stops."""
        return self._bot.changes

    @changes.setter
    def changes(self, count: int) -> None:
        self._bot.changes = count

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> Self:
        self._broker = Broker(self._folder)
        await self._broker.start()
        self._bot = ScriptedHummingbot(self._broker.port)
        await self._bot.boot()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._bot.crash()
        await self._broker.stop()

    def block(self) -> dict[str, Any]:
        """Its settings."""
        return {
            "url": self._broker.url,
            "instance": "hb-1",
            "venue": "binance",
            "poll_seconds": 1.0,
            "silent_seconds": 2.0,
            "reply_seconds": 0.5,
            "confirm_seconds": 2.0,
        }

    async def happen(self) -> str:
        """An order that is filled at once."""
        return self._bot.fill(self._bot.create(0.5, 60_000.0))

    def fact_of(self, event: Event) -> str | None:
        """The trade's id."""
        return event.fill_id if isinstance(event, OrderFilled) else None

    async def go_away(self) -> None:
        """The broker ends."""
        await self._broker.stop()

    async def come_back(self) -> None:
        """The broker is there, and Hummingbot well."""
        self._bot.delay_seconds, self._bot.garbles = 0.0, False
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._broker.port)
            writer.close()
            return
        await self._broker.start()

    async def slow(self, seconds: float) -> None:
        """Its replies are late."""
        self._bot.delay_seconds = seconds

    async def garble(self) -> None:
        """All that it publishes is garbage."""
        self._bot.garbles = True

    async def restart(self) -> None:
        """It crashes, and starts anew."""
        await self._bot.crash()
        await self._bot.boot()
