"""One client of the stream: what waits for it, and whether it still reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.message import Message
from deskwatch.sidecar.streaming.topic import Topic

MAX_WAITING = 5000
"""Messages that wait for one client before it is told from the journal."""
MAX_WAITING_BYTES = 8 * 1024 * 1024
"""And the most that they may come to. They are held once, however many clients they wait for."""


class Reader:
    """One client's messages that were not sent yet. Nobody waits for it.

    Attributes:
        topic: What it wants.
        is_live: It gets what happens; until then it is told of the past, and its heartbeats.
        changed: Bots whose newest state it has not been sent.
        reason: Why it is let go: `slow`, `closing` or `resync`. None as long as it is not.
        sending_since: When the message began that it is being sent now, by the event loop's clock.
        seen: The cursor that it was brought to.
        position: The latest that it was told.
        sent: Messages it was sent.
    """

    def __init__(self, topic: Topic, cut: Callable[[], None] | None) -> None:
        self.topic = topic
        self.is_live = False
        self.changed: set[str] = set()
        self.reason: str | None = None
        self.sending_since: float | None = None
        self.seen: Places = {}
        self.position = self.sent = 0
        self._cut = cut
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._taken = 0
        self._something = asyncio.Event()

    def put(self, message: Message) -> bool:
        """Have a message wait; False if there is no room."""
        if len(self._waiting) >= MAX_WAITING or self._bytes + message.size > MAX_WAITING_BYTES:
            return False
        self._waiting.append(message)
        self._bytes += message.size
        self._something.set()
        return True

    def wake(self) -> None:
        """There is something to look at."""
        self._something.set()

    async def wait(self) -> None:
        """Until there is something."""
        await self._something.wait()

    def take(self) -> list[Message]:
        """All that waits. It counts as waiting until more is taken, as it is sent piece by piece."""
        self._something.clear()
        self._bytes -= self._taken
        self._taken = self._bytes
        messages = list(self._waiting)
        self._waiting.clear()
        return messages

    def took(self, message: Message) -> None:
        """A message was sent."""
        self.sending_since = None
        self.position = max(self.position, message.position)
        if message.places is not None:
            self.seen = message.places

    def fall_behind(self) -> None:
        """Have nothing wait any more. What is being sent is still sent, and counts as seen then."""
        self.is_live = False
        self._bytes -= sum(message.size for message in self._waiting)
        self._waiting.clear()
        self._something.set()

    def let_go(self, reason: str, *, at_once: bool) -> None:
        """Send no more. With `at_once` the connection is cut, as nothing more can be sent by it."""
        self.reason = reason
        self.changed.clear()
        self._waiting.clear()
        self._bytes = self._taken = 0
        self._something.set()
        if at_once and self._cut is not None:
            self._cut()
