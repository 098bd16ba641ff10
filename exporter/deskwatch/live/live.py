"""The live state of a sidecar's bots, followed by whichever road there is.

    stream    the WebSocket; a silence of 3 s, a gap in its numbers or a broken frame ends it
    polling   while it can't be had: every second what is new since the cursor, then the state
    down      neither answers

Both roads move one cursor, which is a place in the journals: going from one to the other, or through a sidecar that was
killed and started again, loses no event and repeats none. Tries are spread by backoff with jitter.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from deskwatch.backoff import Backoff
from deskwatch.errors import Declined, SidecarError, Unreachable
from deskwatch.live.access import Access
from deskwatch.live.asking import Sidecar
from deskwatch.live.bot import BotState
from deskwatch.live.change import Change, Road, moved
from deskwatch.live.held import Held
from deskwatch.live.in_thread import in_thread
from deskwatch.live.inbox import Inbox
from deskwatch.live.messages import Cursor, Dropped, Message, Other, Resumed, Snapshot
from deskwatch.live.paths import path_of
from deskwatch.live.polling import poll

if TYPE_CHECKING:
    from deskwatch.live.stream import Stream


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often is tried."""

    first_retry_seconds: float = 0.1
    most_retry_seconds: float = 5.0
    """Bound of the pause between two tries for the stream."""
    poll_seconds: float = 1.0
    """Time between two polls, and before the first while a stream may still come."""
    steady_seconds: float = 5.0
    """A stream that lived so long was a good one: the pauses begin anew."""


class Live:
    """Follows one sidecar. An async context manager, and an async iterator of `Change`.

    Entering starts it and waits for nothing; it works on in the background. Iterating hands out every change and raises
    what can't be mended by trying again: a token that the sidecar does not take. A reader that is slow is waited for,
    and nothing is lost meanwhile.

    Attributes:
        bots: Each bot's newest state, also while nobody iterates.
        cursor: How far the reader was handed events; None before the first place is known. Given to `connect` another
            day, it goes on there.
        road: `stream`, `polling` or `down`.
        trouble: Why it is not `stream`; empty where it is.
    """

    def __init__(
        self,
        access: Access,
        bots: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
        cursor: Cursor | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.access = access
        self.cursor = cursor
        self.road: Road = "down"
        self.trouble = "not connected yet"
        self._bots, self._kinds = bots, kinds
        self._pace = pace or Pace()
        self._held = Held(cursor, bots)
        self._inbox = Inbox()
        self._heard: float | None = None
        self._told = False
        self._is_whole = False  # this connection has told the state of all bots
        self._backoff = Backoff(self._pace.first_retry_seconds, self._pace.most_retry_seconds)
        self._again = asyncio.Event()
        self._sidecar: Sidecar | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def bots(self) -> dict[str, BotState]:
        """Name → newest state. A dict of its own, which later changes leave alone."""
        return dict(self._held.bots)

    @property
    def repeated(self) -> int:
        """Events that came twice, and were handed out once."""
        return self._held.repeated

    @property
    def age_seconds(self) -> float:
        """Time since the sidecar was heard last: how old the state may be; infinite before the first time."""
        return math.inf if self._heard is None else time.monotonic() - self._heard

    async def __aenter__(self) -> Self:
        self._sidecar = Sidecar(self.access.check())
        self._task = asyncio.create_task(self._run(self._sidecar), name="deskwatch-live")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up, within about a second."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._sidecar is not None:
            self._sidecar.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        change = await self._inbox.take()
        if change is None:
            raise StopAsyncIteration
        self.cursor = moved(self.cursor, change)
        return change

    async def _run(self, sidecar: Sidecar) -> None:
        error: Exception | None = None
        try:
            while True:
                stream = await self._reach(sidecar)
                try:
                    await self._follow(stream)
                except Unreachable as trouble:
                    self._went("down", str(trouble))
                finally:
                    await stream.close()
        except Exception as fatal:  # whoever iterates gets it
            error = fatal
            self._went("down", str(fatal))
        finally:
            self._inbox.end(error)

    async def _reach(self, sidecar: Sidecar) -> Stream:
        """An open stream; while there is none, the sidecar is polled."""
        opening = asyncio.create_task(self._open(sidecar))
        polling = asyncio.create_task(self._keep_polling(sidecar))
        try:
            await asyncio.wait({opening, polling}, return_when=asyncio.FIRST_COMPLETED)
            if polling.done():
                polling.result()  # it ends by an error alone
            return await opening
        except BaseException:
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await opening.result().close()
            raise
        finally:
            for task in (opening, polling):
                task.cancel()
            await asyncio.gather(opening, polling, return_exceptions=True)

    async def _open(self, sidecar: Sidecar) -> Stream:
        from deskwatch.live.stream import Shut, Stream  # noqa: PLC0415  websockets belongs to an extra

        if self._heard is not None:  # many may have lost it at one time
            await asyncio.sleep(self._backoff.next_seconds())
        while True:
            try:
                resumes = self._held.cursor is not None
                return await Stream.open(self.access, self._bots, self._kinds, resumes=resumes)
            except Shut as error:
                await in_thread(partial(self._check_token, sidecar))
                trouble: Unreachable = error
            except Unreachable as error:
                trouble = error
            self.trouble = str(trouble)
            self._again.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._backoff.next_seconds(trouble.retry_seconds)):
                    await self._again.wait()

    def _check_token(self, sidecar: Sidecar) -> None:
        """Whether the token is taken elsewhere: if not, that is why no WebSocket opens."""
        path = path_of("bots", self._bots[0], "snapshot") if len(self._bots) == 1 else "/snapshot"
        with contextlib.suppress(Unreachable, Declined):
            sidecar.ask_bytes("GET", path)

    async def _follow(self, stream: Stream) -> None:
        """Take in what a stream tells until it breaks.

        Raises:
            Unreachable: It broke.
        """
        began = time.monotonic()
        self._is_whole = False
        if self._held.cursor is not None:
            await stream.resume(self._held.cursor)
        while True:
            message = await stream.receive()
            await self._take(message, "stream")
            if isinstance(message, Dropped):
                raise Unreachable(f"{self.access.name} let this client go: {message.reason}")
            if time.monotonic() - began > self._pace.steady_seconds:
                self._backoff.reset()

    async def _keep_polling(self, sidecar: Sidecar) -> None:
        while True:
            await asyncio.sleep(self._pace.poll_seconds)
            before = self.road
            try:
                await self._poll(sidecar)
            except SidecarError as error:  # also a token that may only stream: the stream tells whether that is fatal
                self._went("down", str(error))
            else:
                if before != "polling":
                    self._again.set()  # it is there: perhaps the stream is, too

    async def _poll(self, sidecar: Sidecar) -> None:
        messages = poll(sidecar, self._held.cursor, self._bots, self._kinds)
        while (message := await in_thread(partial(next, messages, None))) is not None:
            await self._take(message, "polling")

    async def _take(self, message: Message | Other, road: Road) -> None:
        await self._inbox.room()
        self._is_whole = self._is_whole or road == "polling" or isinstance(message, Snapshot | Resumed)
        if self._is_whole:
            self._heard = time.monotonic()
            self._went(road, "" if road == "stream" else self.trouble)
        else:  # it beats, but what is held is from before: that is no live data
            self._went("down", f"{self.access.name} is still reading its journals")
        change = self._held.take(message, road)
        if change is not None:
            self._inbox.put(change)

    def _went(self, road: Road, trouble: str) -> None:
        self.trouble = trouble
        if road != self.road or not self._told:  # that nothing answers at first is news, too
            self.road, self._told = road, True
            self._inbox.put(Change(road=road))


def connect(
    url: str,
    *,
    token: str | None = None,
    token_file: str | Path | None = None,
    ca_file: str | Path | None = None,
    bots: Iterable[str] = (),
    kinds: Iterable[str] = (),
    cursor: Cursor | None = None,
    pace: Pace | None = None,
) -> Live:
    """Follow a sidecar, from the `async with` that enters what is returned on.

    Args:
        url: The sidecar.
        token: One that may read, where reading needs one; or
        token_file: a file with it, read anew for each connection.
        ca_file: PEM file with the CAs to check the sidecar's certificate by; else those that the system trusts.
        bots: Only these; all by default.
        kinds: Only events of these families; all by default. States come in any case.
        cursor: `live.cursor` of another day, to be told what happened since.
        pace: How often is tried.
    """
    access = Access(
        url=url,
        token=token,
        token_file=None if token_file is None else Path(token_file),
        ca_file=None if ca_file is None else Path(ca_file),
    )
    return Live(access, tuple(bots), tuple(kinds), cursor, pace)
