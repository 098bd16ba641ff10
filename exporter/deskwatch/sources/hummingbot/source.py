"""A Hummingbot, watched over MQTT: the loop that ties its parts together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import aiomqtt

from deskwatch.backoff import Backoff
from deskwatch.errors import NotJournaled
from deskwatch.sources.hummingbot import broker, doctor, liquidity
from deskwatch.sources.hummingbot.control import Control
from deskwatch.sources.hummingbot.errors import BrokerRefused
from deskwatch.sources.hummingbot.history import History
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.hummingbot.orders import Orders
from deskwatch.sources.hummingbot.payload import Fields, decode, fields, moment, name
from deskwatch.sources.hummingbot.performance import EVERY_SECONDS, Performance, is_last_word
from deskwatch.sources.hummingbot.presence import Presence
from deskwatch.sources.hummingbot.records import Records
from deskwatch.sources.hummingbot.rpc import Rpc
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.hummingbot.strategy import Strategy
from deskwatch.sources.memory import Memory
from deskwatch.sources.source import Finding
from deskwatch.sources.watched import Watched

TOPICS = ("hb", "status_updates", "notify", "log", "events", "performance")


class Hummingbot:
    """The source."""

    kind = "hummingbot"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def peer(self) -> str:
        """The broker and the instance."""
        return self._settings.peer

    def memory(self) -> Memory:
        """An empty memory."""
        return HummingbotMemory()

    async def watch(self, watched: Watched) -> None:
        """Watch until canceled."""
        watching = _Watching(watched, self._settings)
        backoff = Backoff()
        try:
            while True:
                # In a task of its own: a cut at the moment of our end would hide the end in the group of errors.
                connection = asyncio.create_task(self._connection(watching, backoff), name="connection")
                try:
                    await asyncio.wait((connection,))
                finally:
                    connection.cancel()
                    await asyncio.wait((connection,))
                await connection
                await asyncio.sleep(backoff.next_seconds())
        finally:
            watching.end()

    async def _connection(self, watching: _Watching, backoff: Backoff) -> None:
        """Watch over one connection, until it is cut."""
        try:
            async with broker.connected(self._settings) as client:
                await watching.over(client, backoff)
        except* (aiomqtt.MqttError, BrokerRefused) as errors:
            watching.cut(errors)

    def examine(self) -> AsyncIterator[Finding]:
        """Try the settings against the broker and the instance; nothing is changed there."""
        return doctor.examine(self._settings)


class _Watching:
    """The parts, over all connections to the broker."""

    def __init__(self, watched: Watched, settings: Settings) -> None:
        memory = cast("HummingbotMemory", watched.memory)  # of the class that `Hummingbot.memory` gave
        self._watched = watched
        self._settings = settings
        self._strategy = Strategy()
        self._rpc = Rpc(settings, watched.health)
        self._records = Records(watched)
        self._orders = Orders(watched, memory, venue=settings.venue, strategy=settings.strategy, missed=self._missed)
        self._history = History(watched, memory, settings, self._rpc, self._orders)
        self._performance = Performance(watched, memory, strategy=settings.strategy)
        self._presence = Presence(watched, settings, self._rpc, self._strategy, self._seen)
        self._control = Control(watched, settings, self._rpc, self._strategy, self._presence)
        self._report: bytes | None = None
        self._report_due = asyncio.Event()
        self._has_offered = False

    async def over(self, client: aiomqtt.Client, backoff: Backoff) -> None:
        """Watch over one connection until it is cut."""
        own = [f"{self._settings.prefix}/{topic}" for topic in TOPICS]
        await broker.subscribe(client, [*own, f"{self._rpc.replies}/+"])
        backoff.reset()
        self._rpc.use(client)
        self._presence.connected()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(client))
                tasks.create_task(self._presence.run())
                tasks.create_task(self._control.run())
                tasks.create_task(self._orders.run())
                tasks.create_task(self._report_now_and_then())
        finally:
            self._rpc.use(None)

    def cut(self, errors: BaseExceptionGroup[aiomqtt.MqttError | BrokerRefused]) -> None:
        """The broker can't be reached."""
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._watched.health.failed(error.reason if isinstance(error, BrokerRefused) else "cut")
        self._presence.cut(str(error))
        self._history.missed()

    def end(self) -> None:
        """Nobody watches any more: what is held is told. Where that fails history tells it later."""
        with contextlib.suppress(NotJournaled):
            self._orders.release()

    # What comes

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = str(message.topic)
            if topic.startswith(self._rpc.replies):
                self._rpc.answered(topic, message.payload)
                continue
            if len(client.messages) >= broker.MOST_WAITING - 1:
                self._missed()
            if message.retain:  # the broker kept it: it is of before, and Hummingbot keeps nothing there
                self._watched.health.failed("retained")
                continue
            part = topic.rpartition("/")[2]
            if part == "performance":
                self._report = message.payload if isinstance(message.payload, bytes) else None
                self._report_due.set()
                continue
            told = decode(message.payload)
            if told is None:
                self._watched.health.failed("payload")
                if part == "events":
                    self._missed()
                continue
            self._take(part, told)

    def _take(self, part: str, told: Fields) -> None:
        match part:
            case "hb":
                self._presence.heartbeat(told)
                self._history.heard()
            case "status_updates":
                self._history.missed()
                self._presence.status_update(told)
            case "log":
                self._presence.log(told)
                self._records.log(told)
            case "notify":
                self._records.notice(told)
            case "events":
                self._event(told)

    def _event(self, told: Fields) -> None:
        kind, data = name(told.get("type")), fields(told.get("data"))
        at = moment(told.get("timestamp"))
        if kind == "FundingPaymentCompleted" or kind.startswith("Range"):
            is_known = liquidity.take(self._watched, kind, data, at)
        else:
            is_known = self._orders.take(kind, data, at)
            if is_known and kind.endswith("OrderCreated") and not self._strategy.runs:
                self._strategy.acted()
                self._presence.look_soon()
        if not is_known:
            if kind == "OrderFilled":
                self._watched.health.failed("event")
                self._missed()
            self._records.unknown(kind, data, at)

    async def _report_now_and_then(self) -> None:
        """Take the newest report, one in a while: a controller publishes one in a second."""
        while True:
            await self._report_due.wait()
            self._report_due.clear()
            told = decode(self._report)
            if told is None:
                self._watched.health.failed("payload")
            elif self._performance.take(told):
                if not self._strategy.runs:
                    self._strategy.acted()
                    self._presence.look_soon()
            elif is_last_word(told):
                self._strategy.ended()
                self._presence.look_soon()
            await asyncio.sleep(EVERY_SECONDS)

    def _missed(self) -> None:
        self._history.missed()
        self._presence.look_soon()

    async def _seen(self, is_restarted: bool) -> None:
        """Its state was just asked: what else is to be done then, before its heartbeat is told."""
        if not self._has_offered or self._watched.told.boot is None or is_restarted:
            self._has_offered = True
            self._control.offer()
        if is_restarted:
            self._control.restarted()
        await self._control.lower()
        if self._strategy.runs is False:
            self._orders.abandon()
        await self._history.reconcile(can_tell=self._strategy.runs is True)
