"""The hub: hands what changes to every stream client, encoded once, without waiting for any of them.

Messages, each a JSON object with the `position` it brings its reader to:
    {"type":"snapshot","position":n,"bots":[…]}     first
    {"type":"events","position":n,"events":[…]}     new activity, oldest first
    {"type":"state","position":n,"bots":[…]}        bots whose state changed, whole, conflated
    {"type":"heartbeat","position":n}               when nothing else was sent for a second
A client that does not read in time is dropped, so that the others don't notice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Self

import msgspec

from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry

CLIENT_BUFFER = 256
"""Messages that wait for one client before it is dropped."""
MAX_CLIENTS = 200
HEARTBEAT_SECONDS = 1.0
STATE_SECONDS = 0.05
"""State changes within this time are sent as one."""

_encoder = msgspec.json.Encoder()


class TooManyClients(Exception):
    """The hub serves as many clients as it may."""


class Client:
    """One reader's queue of encoded messages; None ends it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(CLIENT_BUFFER)
        self.dropped = False


class Hub:
    """Broadcasts. An async context manager.

    Attributes:
        clients: Readers of now.
        drops: Clients that were let go, by reason: `slow` did not read, `full` found no room.
    """

    def __init__(self, projections: Projections) -> None:
        self._projections = projections
        self.clients: set[Client] = set()
        self.drops = {"slow": 0, "full": 0}
        self._changed: set[str] = set()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._pulse(), name="hub")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.close()

    def close(self) -> None:
        """End all streams, and start no more."""
        self._closed = True
        for client in list(self.clients):
            self._drop(client, slow=False)

    def publish(self, entries: list[Entry]) -> None:
        """Send new activity to all clients, and remember whose state changed."""
        changed, self._projections.state.changed = self._projections.state.changed, set()
        if self.clients:
            self._changed |= changed
            if entries:
                self._send({"type": "events", "position": self._projections.activity.number, "events": entries})

    def snapshot(self) -> bytes:
        """The state of all bots, as a stream begins with it."""
        return _encoder.encode(
            {
                "type": "snapshot",
                "position": self._projections.activity.number,
                "bots": list(self._projections.state.bots.values()),
            }
        )

    def admit(self) -> None:
        """Let another client in.

        Raises:
            TooManyClients: The hub is full, which is counted, or it stops.
        """
        if len(self.clients) >= MAX_CLIENTS:
            self.drops["full"] += 1
            raise TooManyClients
        if self._closed:
            raise TooManyClients

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Encoded messages for one client, until it is dropped or the hub stops.

        Raises:
            TooManyClients: The hub is full.
        """
        self.admit()
        client = Client()
        self.clients.add(client)
        try:
            yield self.snapshot()
            while (message := await client.queue.get()) is not None:
                yield message
        finally:
            self.clients.discard(client)

    async def _pulse(self) -> None:
        """Send conflated state while it changes, and a heartbeat when it doesn't."""
        loop = asyncio.get_running_loop()
        beaten = loop.time()
        while True:
            await asyncio.sleep(STATE_SECONDS)
            position = self._projections.activity.number
            if self._changed:
                bots = [
                    self._projections.state.bots[bot] for bot in self._changed if bot in self._projections.state.bots
                ]
                self._changed = set()
                self._send({"type": "state", "position": position, "bots": bots})
                beaten = loop.time()
            elif self.clients and loop.time() - beaten >= HEARTBEAT_SECONDS:
                self._send({"type": "heartbeat", "position": position})
                beaten = loop.time()

    def _send(self, message: object) -> None:
        data = _encoder.encode(message)
        for client in list(self.clients):
            try:
                client.queue.put_nowait(data)
            except asyncio.QueueFull:
                self._drop(client, slow=True)

    def _drop(self, client: Client, *, slow: bool) -> None:
        self.clients.discard(client)
        self.drops["slow"] += slow
        client.dropped = slow
        while not client.queue.empty():
            client.queue.get_nowait()
        client.queue.put_nowait(None)
