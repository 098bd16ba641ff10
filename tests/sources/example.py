"""The smallest source there can be, with its peer: it proves the contract test, and shows what a source does.

The peer is asked by a line over TCP and answers with one: `{"boot": "1", "facts": ["f1", "f2"]}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from deskwatch.backoff import Backoff
from deskwatch.events import Event, LogRecorded, Mode
from deskwatch.sources.memory import Memory
from deskwatch.sources.settings import SourceSettings
from deskwatch.sources.source import Finding, Source
from deskwatch.sources.watched import Watched

ANSWER_SECONDS = 0.5
POLL_SECONDS = 0.05


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the peer is."""

    port: Annotated[int, Meta(description="TCP port on this machine", ge=1, le=65535)]


class Facts(Memory, kw_only=True):
    """What was told."""

    told: set[str] = msgspec.field(default_factory=set)

    def fold(self, event: Event) -> None:
        if isinstance(event, LogRecorded):
            self.told.add(event.message)


class Answer(msgspec.Struct):
    boot: str
    facts: list[str]


class AwayError(Exception):
    """The peer did not answer, or not well."""


class ExampleSource:
    kind = "example"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.peer = f"127.0.0.1:{settings.port}"
        self.reachable = asyncio.Event()

    def memory(self) -> Memory:
        return Facts()

    async def watch(self, watched: Watched) -> None:
        backoff = Backoff()
        self.reachable.clear()
        commands = asyncio.create_task(self.obey(watched))
        try:
            while True:
                try:
                    answer = await self.ask(watched)
                except AwayError as error:
                    self.reachable.clear()
                    watched.health.lost()
                    watched.connected("tcp", "peer", up=False, reason=str(error))
                    await asyncio.sleep(backoff.next_seconds())
                    continue
                backoff.reset()
                self.tell(watched, answer)
                self.reachable.set()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            commands.cancel()

    def tell(self, watched: Watched, answer: Answer) -> None:
        """What is there and was not told."""
        assert isinstance(watched.memory, Facts)
        watched.connected("tcp", "peer", up=True)
        for fact in answer.facts:
            if fact not in watched.memory.told:
                watched.emit(LogRecorded(message=fact, levelname="INFO", name="peer"))
        watched.started(answer.boot, Mode.STANDBY, host="peer")
        watched.alive()

    async def obey(self, watched: Watched) -> None:
        while True:
            command = await watched.next_command(self.reachable)
            if command.type == "ping":
                command.succeed()
            else:
                command.fail(f"expected ping, was {command.type}")

    async def ask(self, watched: Watched | None) -> Answer:
        """The peer's state, within bounds of time and size."""
        if watched is not None:
            watched.health.asked()
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
                try:
                    answer = msgspec.json.decode(await reader.readline(), type=Answer)
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError, msgspec.DecodeError) as error:
            if watched is not None:
                watched.health.failed(type(error).__name__)
            raise AwayError(str(error)) from None
        if watched is not None:
            watched.health.heard(time.monotonic() - began)
        return answer

    async def examine(self) -> AsyncIterator[Finding]:
        try:
            answer = await self.ask(None)
        except AwayError as error:
            yield Finding(ok=False, what=f"The peer does not answer: {error}.", cure="Start it.")
        else:
            yield Finding(ok=True, what=f"The peer answers, with {len(answer.facts)} facts.")


def open_source(settings: Settings) -> Source:
    return ExampleSource(settings)


class ExampleRig:
    """The peer."""

    kind = "example"
    module: str | None = "tests.sources.example"
    keeps_history = True
    has_commands = False
    changes = 0

    def __init__(self) -> None:
        self.facts: list[str] = []
        self.boot = 1
        self.garbage: list[bytes] = []
        self.pause = 0.0
        self.port = 0
        self.server: asyncio.Server | None = None
        self.answering: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.come_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_away()

    def block(self) -> dict[str, Any]:
        return {"port": self.port}

    async def happen(self) -> str:
        self.facts.append(f"fact {len(self.facts)}")
        return self.facts[-1]

    def fact_of(self, event: Event) -> str | None:
        return event.message if isinstance(event, LogRecorded) else None

    async def go_away(self) -> None:
        if self.server is not None:
            self.server.close()
            for task in self.answering:
                task.cancel()
            await self.server.wait_closed()
            self.server = None

    async def come_back(self) -> None:
        self.pause, self.garbage = 0.0, []
        if self.server is None:
            self.server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
            self.port = self.server.sockets[0].getsockname()[1]

    async def slow(self, seconds: float) -> None:
        self.pause = seconds

    async def garble(self) -> None:
        self.garbage = [b"\x00\x1b[2J", b"null", b'{"boot":1,"facts":null}', b'{"facts":[]}', b"[" * 100_000]

    async def restart(self) -> None:
        self.boot += 1
        await self.go_away()
        await self.come_back()

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.answering.add(task)
        try:
            await asyncio.sleep(self.pause)
            text = json.dumps({"boot": str(self.boot), "facts": self.facts}).encode()
            if self.garbage:
                self.garbage.append(text := self.garbage.pop(0))
            writer.write(text + b"\n")
            with contextlib.suppress(OSError):
                await writer.drain()
        except asyncio.CancelledError:
            pass  # the peer is away
        finally:
            self.answering.discard(task)
            writer.close()
