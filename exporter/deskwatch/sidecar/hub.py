"""The hub: hands what changes to every stream client, encoded once, without waiting for any of them.

Messages, each a JSON object. `n` counts a connection's messages from 1; `position` is that of the state, in what this
sidecar has followed (`epoch` says which sidecar); `cursor` is how far the journals were followed, whole in the first
message and else only what moved (see `deskwatch.sidecar.streaming.cursor`):

    {"n":1,"type":"snapshot","epoch":…,"position":…,"cursor":{…},"now":…,"bots":[…],"reset":null}   first, or
    {"n":1,"type":"resumed","epoch":…,"position":…,"cursor":{…},"now":…,"bots":[…]}                 the missed follow
    {"n":…,"type":"events","position":…,"cursor":{…},"events":[…],"replayed":false}                 oldest first
    {"n":…,"type":"state","position":…,"cursor":{…},"bots":[…]}                                     whole, conflated
    {"n":…,"type":"heartbeat","position":…,"now":…}                                                 every second
    {"n":…,"type":"dropped","reason":…}                                                             last, if at all

Until the journals are caught up with, clients get heartbeats only. A client that does not read is dropped, so that the
others don't notice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Self

from deskwatch.sidecar.feed import Feed, Round
from deskwatch.sidecar.streaming import missed
from deskwatch.sidecar.streaming.channel import Channel
from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.message import Message, dropped, heartbeat
from deskwatch.sidecar.streaming.paced import Paced
from deskwatch.sidecar.streaming.past import Past
from deskwatch.sidecar.streaming.reader import Reader
from deskwatch.sidecar.streaming.replay import Gone, Replay
from deskwatch.sidecar.streaming.topic import EVERYTHING, Topic
from deskwatch.sidecar.streaming.view import View

MAX_CLIENTS = 200
RESERVE = 50
"""More that are let in where they showed a token: readers without one never keep an operator from looking."""
HEARTBEAT_SECONDS = 1.0
STATE_SECONDS = 0.05
"""State changes within this time are sent as one."""
URGENT_SECONDS = 0.01
"""The same where the mode changed, or a command came to its end."""
_URGENT = frozenset({"mode_changed", "command_succeeded", "command_failed", "command_expired", "command_refused"})
FLUSH_SECONDS = 0.005
"""Events within this time are sent as one."""
STALL_SECONDS = 1.8
"""A client that takes longer for one message is dropped."""
WATCH_SECONDS = 0.25
"""How often to look for those."""


class TooManyClients(Exception):
    """The hub serves as many clients as it may."""


class Hub:
    """Broadcasts. An async context manager.

    Attributes:
        view: What there is now.
        past: Reads what was before.
        readers: Clients of now, those of `/activity/stream` among them.
        drops: Clients that were let go or turned away, by reason: `slow` did not read, `full` found no room, `resync`
            watched a journal that is not as it was left, `closing` saw the sidecar end.
        resumes: Clients that went on where they were (`resumed`), or could not (`reset`).
            lapses: How often more waited for a client than it may, so that it was told from the journal.
        sent: Messages that were sent.
    """

    def __init__(self, feed: Feed, supervised: Iterable[str] = ()) -> None:
        self._feed = feed
        self.view = View(feed, supervised)
        self.past = Past()
        self.readers: set[Reader] = set()
        self.drops = {"slow": 0, "full": 0, "resync": 0, "closing": 0}
        self.resumes = {"resumed": 0, "reset": 0}
        self.sent = self.lapses = 0
        self._channels: dict[Topic, Channel] = {}
        self._changed: set[str] = set()
        self._closed = False
        self._flushing = Paced(self._spread_events)
        self._stating = Paced(self._spread_state)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._beat(), name="heartbeat"),
            asyncio.create_task(self._watch(), name="stalled clients"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._flushing.cancel()
        self._stating.cancel()
        self.past.close()

    def close(self) -> None:
        """End all streams, and start no more."""
        self._closed = True
        for reader in list(self.readers):
            self._drop(reader, "closing")

    # --- what the feed says --------------------------------------------------------------------------------------

    def publish(self, folded: Round) -> None:
        """Send new activity to all clients, and have those bots' state sent that changed."""
        changed = self.view.take_changed()
        for reader in [one for one in self.readers if any(one.topic.has(bot) for bot, _ in folded.faulty)]:
            self._drop(reader, "resync")
        if not self._channels:
            return
        for channel in self._channels.values():
            channel.take_in(folded.entries, folded.moved)
        self._changed |= changed
        if folded.entries:
            self._flushing.plan(FLUSH_SECONDS)
        if changed:
            is_urgent = any(entry.type in _URGENT for entry in folded.entries)
            self._stating.plan(URGENT_SECONDS if is_urgent else STATE_SECONDS)

    def flush(self) -> None:
        """Send the events that wait to be sent together."""
        self._flushing.do()

    def _spread_events(self) -> None:
        for channel in self._channels.values():
            if channel.has_events:
                message = channel.events(self.view.position, self.view.places)
                for reader in list(channel.readers):
                    if not reader.put(message):
                        self._fall_behind(reader)

    def _spread_state(self) -> None:
        """Tell each client that there is a newer state; it is put into a message when the client comes for it."""
        changed, self._changed = self._changed, set()
        for channel in self._channels.values():
            wanted = {bot for bot in changed if channel.topic.has(bot)}
            for reader in channel.readers if wanted else ():
                reader.changed |= wanted
                reader.wake()

    # --- clients -------------------------------------------------------------------------------------------------

    def admit(self, *, is_known: bool = False) -> None:
        """Let another client in.

        Args:
            is_known: Whether it showed a token.

        Raises:
            TooManyClients: The hub is full, which is counted, or it stops.
        """
        if len(self.readers) >= MAX_CLIENTS + (RESERVE if is_known else 0):
            self.drops["full"] += 1
            raise TooManyClients
        if self._closed:
            raise TooManyClients

    @contextlib.contextmanager
    def seat(
        self, topic: Topic = EVERYTHING, cut: Callable[[], None] | None = None, *, is_known: bool = False
    ) -> Iterator[Reader]:
        """A client's place among the others, for as long as it is connected.

        Raises:
            TooManyClients: The hub is full.
        """
        self.admit(is_known=is_known)
        reader = Reader(topic, cut)
        self.readers.add(reader)
        try:
            yield reader
        finally:
            self._leave(reader)

    def _leave(self, reader: Reader) -> None:
        self.readers.discard(reader)
        channel = self._channels.get(reader.topic)
        if channel is not None:
            channel.readers.discard(reader)
            if not channel.readers:
                del self._channels[reader.topic]

    def _drop(self, reader: Reader, reason: str, *, at_once: bool = False) -> None:
        self._leave(reader)
        if reader.reason is None:
            self.drops[reason] += 1
            reader.let_go(reason, at_once=at_once)

    async def stream(
        self, reader: Reader, seen: Places | None = None, reset: str | None = None
    ) -> AsyncGenerator[Message, None]:
        """Messages for one client, until it is dropped or the hub stops; the last says why.

        Args:
            reader: Who has a seat.
            seen: Where the client wants to go on; None for a snapshot.
            reset: Why it does not go on where it might have wanted to.
        """
        loop = asyncio.get_running_loop()
        async with contextlib.aclosing(self._messages(reader, seen, reset)) as messages:
            async for message in messages:
                if reader.reason is not None:
                    break
                if message.is_heartbeat and message.position < reader.position:
                    message = heartbeat(reader.position)  # noqa: PLW2901  newer was told while it waited
                reader.sending_since = loop.time()
                self.sent += 1
                yield message
                reader.took(message)
        if reader.reason is not None:
            yield dropped(reader.reason)

    async def _messages(self, reader: Reader, seen: Places | None, reset: str | None) -> AsyncGenerator[Message, None]:
        while not self._feed.caught_up.is_set() and reader.reason is None:
            await reader.wait()
            for message in reader.take():
                yield message
        goes_on = seen is not None
        if seen is not None:
            try:
                async with contextlib.aclosing(self._resumed(reader, seen)) as messages:
                    async for message in messages:
                        yield message
            except Gone as gone:  # sent away, it would come again with the same cursor
                goes_on, reset = False, f"the missed events can't be told: {gone}"
                self.resumes["reset"] += 1
                self._fall_behind(reader)
        if not goes_on and reader.reason is None:
            self._go_live(reader)
            yield Message(
                {"type": "snapshot", **self.view.snapshot(reader.topic), "reset": reset},
                reader.topic.of(self.view.places),
            )
        while reader.reason is None:
            await reader.wait()
            if reader.changed and reader.is_live:
                self.flush()
            for message in self._take(reader):
                yield message
            if not reader.is_live:
                self.lapses += 1
                replay = Replay(self._feed.home, reader.topic, reader.seen)
                try:
                    async with contextlib.aclosing(self._missed(reader, replay)) as messages:
                        async for message in messages:
                            yield message
                except Gone:
                    self._drop(reader, "resync")

    async def _resumed(self, reader: Reader, seen: Places) -> AsyncGenerator[Message, None]:
        """What a client is told that goes on. Raises Gone as soon as it turns out that it can't."""
        replay = Replay(self._feed.home, reader.topic, seen)
        checking = asyncio.ensure_future(self.past.read(replay.check, dict(self.view.places)))
        async for message in missed.meanwhile(checking, reader.take):
            yield message
        checking.result()
        self.resumes["resumed"] += 1
        yield Message({"type": "resumed", **self.view.snapshot(reader.topic, replay.seen)}, dict(replay.seen))
        async with contextlib.aclosing(self._missed(reader, replay)) as messages:
            async for message in messages:
                yield message

    def _fall_behind(self, reader: Reader) -> None:
        """Too much waits for a client that still reads: it goes on with the journal in place of memory."""
        channel = self._channels.get(reader.topic)
        if channel is not None:
            channel.readers.discard(reader)
        reader.fall_behind()

    def _take(self, reader: Reader) -> list[Message]:
        """What waits for a client; behind it, as all of it is sent then, the newest state of what changed."""
        messages = reader.take()
        channel = self._channels.get(reader.topic)
        if reader.changed and reader.is_live and channel is not None:
            changed, reader.changed = reader.changed, set()
            bots: list[object] = [self.view.state_of(bot) for bot in sorted(changed)]
            messages.append(channel.state(self.view.position, self.view.places, changed, bots))
        return messages

    def _go_live(self, reader: Reader) -> None:
        """From here on a client gets what happens. What was folded before is in what it is told otherwise."""
        self.flush()
        channel = self._channels.get(reader.topic)
        if channel is None:
            channel = self._channels[reader.topic] = Channel(reader.topic)
        channel.readers.add(reader)
        reader.is_live = True

    async def _missed(self, reader: Reader, replay: Replay) -> AsyncGenerator[Message, None]:
        """The events that a client missed; it is live afterwards, without a gap, unless it fell behind again.

        Raises:
            Gone: A journal is not as it was.
        """
        told = 0  # once it is live, messages of later positions wait already

        def position() -> int:
            return told if reader.is_live else self.view.position

        def idle() -> list[Message]:
            return [heartbeat(told)] if reader.is_live else reader.take()

        try:
            for round_ in range(missed.MAX_ROUNDS):
                places = reader.topic.of(self.view.places)
                if round_ == missed.MAX_ROUNDS - 1 or replay.is_near(places, missed.NEAR_BYTES):
                    self._go_live(reader)
                    told = self.view.position
                    reader.changed = self.view.bots(reader.topic)
                    reader.wake()
                async for message in missed.tell(replay, places, position, self.past, idle):
                    yield message
                    for other in () if reader.is_live else reader.take():
                        yield other
                if reader.is_live or reader.reason is not None:
                    break
        finally:
            replay.close()
            reader.wake()

    # --- time ----------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """A heartbeat every second, to everybody."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + HEARTBEAT_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            message = heartbeat(self.view.position)
            for reader in self.readers:
                reader.put(message)

    async def _watch(self) -> None:
        """Cut off clients that don't take what they are sent."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            late = loop.time() - STALL_SECONDS
            for reader in list(self.readers):
                if reader.sending_since is not None and reader.sending_since < late:
                    self._drop(reader, "slow", at_once=True)
