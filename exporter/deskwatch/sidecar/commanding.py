"""Taking commands: each is journaled durably before it is answered, and watched until its end.

It expires when the bot does not start it in time, and is called unconfirmed when the bot's journal does not show in
time what it was to bring about.

A disk that takes the line and does not confirm it, or says nothing, is waited for and asked again for SYNC_SECONDS, by
each caller for themselves: nobody's halt waits behind another command. Then the command counts as accepted
all the same, and `unsynced` says so: the bot reads the line as soon as it is written and may have acted by it, so that
neither "not accepted" nor a withdrawal would be true, and to withdraw a halt would raise the risk. The sync is tried
again every second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self

from deskwatch.encoding import encode
from deskwatch.errors import DeskwatchError
from deskwatch.events import CommandAccepted, CommandExpired, CommandUnconfirmed, Event
from deskwatch.journal import Writer, names
from deskwatch.journal.chained import ChainedWriter
from deskwatch.projections.life import CommandState
from deskwatch.scrub import scrub_value, scrubbed
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.on_disk import OnDisk
from deskwatch.sidecar.secret_params import refuse_secrets

logger = logging.getLogger(__name__)

EXPIRY_SECONDS = 30.0
"""A bot must start a command within this time, unless the caller gives it another."""
CONFIRM_SECONDS = 30.0
"""How long what a bot said it did may be missing from its journal, and how long a bot that began a command may be
silent, before the command's end counts as unknown."""
GRACE_SECONDS = 2.0
"""A command that was started in its last instant is given this long to be seen."""
LOOK_SECONDS = 1.0
"""Between two looks for commands that are over."""
MAX_RECENT = 1000
"""Accepted commands whose keys are known although the feed has not folded them yet."""
VISIBLE_SECONDS = 5.0
"""How long to wait for an accepted command to come back through the journal."""
SYNC_SECONDS = 2.0
"""How long a disk that doesn't confirm is asked again before the caller is answered."""
SYNC_PAUSE_SECONDS = 0.2
HANDS = 16
"""Threads that write, and as many again that wait for disks: those of others may all wait for a disk that stalls."""


Admission = Callable[[], Awaitable[bool]]
"""Asked under the bot's lock whether a command may be given, or it raises; whether it may lead out of `halted`."""


class KeyReused(Exception):
    """An idempotency key came again with another command."""


class Lagging(Exception):
    """The last command did not come back through the journal yet: what it changed is not known."""


class Commanding:
    """The control side's writers. An async context manager."""

    def __init__(self, home: Path, feed: Feed) -> None:
        self._home = home
        self._feed = feed
        self._writers: dict[str, Writer] = {}
        self._opening = threading.Lock()
        self._locks: dict[str, asyncio.Lock] = {}
        self._recent: dict[tuple[str, str], CommandState] = {}
        self._unseen: dict[str, set[str]] = {}
        """By bot, commands that did not come back through the journal yet."""
        self._on_disk: dict[str, OnDisk] = {}
        self._hands = ThreadPoolExecutor(HANDS, "commands")
        self._disks = ThreadPoolExecutor(HANDS, "commands' disks")
        self._told: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.is_secret: Callable[[str], bool] = lambda _: False
        """Whether a text is a token of ours: none is journaled."""
        self.unsynced: set[str] = set()
        """Bots whose control journal is not known to be on disk."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch(), name="commands")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Put everything on disk and release the journals."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for bot, writer in self._writers.items():
            try:
                await self._by_hand(writer.close)
            except (OSError, DeskwatchError) as error:
                logger.error("a control journal could not be put on disk", extra={"bot": bot, "error": str(error)})
        self._hands.shutdown(wait=False)
        self._disks.shutdown(wait=False)

    async def accept(
        self,
        bot: str,
        kind: str,
        params: dict[str, Any],
        *,
        actor: str,
        reason: str | None,
        key: str | None,
        seconds: float | None = None,
        admit: Admission | None = None,
    ) -> CommandState:
        """Pass a command on to a bot; it is on disk when this returns, unless the bot is among the `unsynced` then.

        Args:
            bot: A bot that has a journal.
            kind: The command's type.
            params: Its parameters, checked.
            actor: Name of the token it came with.
            reason: The operator's words.
            key: The caller's idempotency key: the same key and body (type, parameters, reason and time to live) give
                the same resource, whoever sends them.
            seconds: Its time to live; None for EXPIRY_SECONDS.
            admit: Asked about a command that is new, once all that were given before are known.

        Raises:
            KeyReused: The key came with another command before.
            Lagging: What was given before is not known yet (with `admit` only).
            Problem: 422, a parameter holds a secret.
            OSError: The journal can't be written: the command was not accepted.
        """
        reason = scrub_value(reason, self.is_secret)
        refuse_secrets(params, self.is_secret)
        give = partial(self._give, bot, kind, params, actor, reason, key, seconds, admit)
        if key is None and admit is None:
            state = await give()  # a halt, say: it waits for nobody
        else:
            async with self._locks.setdefault(bot, asyncio.Lock()):
                known = None if key is None else self._known(bot, key)
                state = await give() if known is None else known
            if (state.type, state.params, state.reason, state.expires_seconds) != (kind, params, reason, seconds):
                raise KeyReused(key)
        await self._confirm(bot)
        await self._feed.wait_for(lambda: self._is_folded(state.id), VISIBLE_SECONDS)
        return self._feed.projections.commands.get(state.id) or state

    async def _give(
        self,
        bot: str,
        kind: str,
        params: dict[str, Any],
        actor: str,
        reason: str | None,
        key: str | None,
        seconds: float | None,
        admit: Admission | None,
    ) -> CommandState:
        """Journal a command that is new. Under the bot's lock; the disk is not waited for."""
        leaves_halted = False
        if admit is not None:
            if not await self._feed.wait_for(lambda: self._are_folded(bot), VISIBLE_SECONDS):
                raise Lagging
            leaves_halted = await admit()
        accepted = CommandAccepted(
            command_id=uuid.uuid4().hex,
            command=kind,
            params=params,
            actor=actor,
            reason=reason,
            expires_ts=time.time_ns() + int((EXPIRY_SECONDS if seconds is None else seconds) * 1e9),
            idempotency_key=key,
            expires_seconds=seconds,
            leaves_halted=leaves_halted,
        )
        unseen = self._unseen.setdefault(bot, set())
        unseen.add(accepted.command_id)
        try:
            await self._write(bot, accepted)
        except (OSError, DeskwatchError):
            unseen.discard(accepted.command_id)
            raise
        state = CommandState(
            id=accepted.command_id,
            bot=bot,
            type=kind,
            params=params,
            actor=actor,
            reason=reason,
            expires_at=accepted.expires_ts / 1e9,
            expires_seconds=seconds,
        )
        if key is not None:
            self._recent[bot, key] = state
            if len(self._recent) > MAX_RECENT:
                del self._recent[next(iter(self._recent))]
        return state

    def _known(self, bot: str, key: str) -> CommandState | None:
        """The command of a key: as folded, or as accepted where the feed lags behind."""
        folded = self._feed.projections.commands.by_key(bot, key)
        return folded if folded is not None else self._recent.get((bot, key))

    def _are_folded(self, bot: str) -> bool:
        unseen = self._unseen.get(bot, set())
        unseen.difference_update([one for one in unseen if self._is_folded(one)])
        return not unseen

    def _is_folded(self, command_id: str) -> bool:
        command = self._feed.projections.commands.get(command_id)
        return command is not None and command.accepted_at is not None

    async def journal(self, bot: str, event: Event) -> None:
        """Append an event of the sidecar's own to a bot's control journal, durably or else `unsynced`.

        Raises:
            OSError: The journal can't be written.
            JournalError: The journal is locked by another process, or closed.
        """
        await self._write(bot, event)
        await self._confirm(bot)

    async def _write(self, bot: str, event: Event) -> None:
        """Append an event: the bot can read it when this returns.

        Raises:
            OSError: The journal can't be written.
            JournalError: The journal is locked by another process, or closed.
        """
        await self._by_hand(self._append, bot, encode(scrubbed(event, self.is_secret)))

    def _append(self, bot: str, body: bytes) -> None:
        with self._opening:
            writer = self._writers.get(bot)
            if writer is None:
                folder = names.writer_folder(self._home, bot, names.CONTROL)
                writer = ChainedWriter(folder, on_trouble=partial(_tell, bot)).open()
                self._on_disk[bot] = OnDisk(writer)
                self._writers[bot] = writer
        self._on_disk[bot].append(body)

    async def _confirm(self, bot: str) -> None:
        """Wait until the disk has what was written to a bot, but not for long: it is among the `unsynced` then."""
        on_disk = self._on_disk.get(bot)
        if on_disk is None:
            return
        goal = on_disk.written
        deadline = time.monotonic() + SYNC_SECONDS
        while on_disk.confirmed < goal:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self.unsynced.add(bot)
                logger.error("what was journaled is not known to be on disk; it is tried again", extra={"bot": bot})
                return
            done, _ = await asyncio.wait({self._sync(bot, on_disk)}, timeout=remaining)
            if done and on_disk.confirmed < goal:
                await asyncio.sleep(0 if on_disk.error is None else SYNC_PAUSE_SECONDS)

    def _sync(self, bot: str, on_disk: OnDisk) -> asyncio.Task[None]:
        """The sync of a bot's journal that is under way, or else a new one: one at a time, for all who wait."""
        if on_disk.task is None or on_disk.task.done():
            on_disk.task = asyncio.create_task(self._put_on_disk(bot, on_disk), name=f"sync of {bot}")
        return on_disk.task

    async def _put_on_disk(self, bot: str, on_disk: OnDisk) -> None:
        if await asyncio.get_running_loop().run_in_executor(self._disks, on_disk.sync):
            self.unsynced.discard(bot)

    async def _by_hand(self, act: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._hands, partial(act, *arguments))

    async def _watch(self) -> None:
        """Journal what becomes of commands that the bot does not start, or whose effect does not show."""
        await self._feed.caught_up.wait()  # before, what the bots did with their commands is not known
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for bot, on_disk in list(self._on_disk.items()):
                self._sync(bot, on_disk)  # and see to it that the journal is still in its place
                self._are_folded(bot)
            commands = self._feed.projections.commands
            now = time.time()
            due: dict[str, Event] = {
                one.id: CommandExpired(command_id=one.id, command=one.type)
                for one in commands.overdue(now - GRACE_SECONDS)
            }
            for command, error in commands.doubtful(now, CONFIRM_SECONDS, self._heard):
                due[command.id] = CommandUnconfirmed(command_id=command.id, command=command.type, error=error)
            self._told &= due.keys()
            for command_id in due.keys() - self._told:
                state = commands.get(command_id)
                if state is not None:
                    await self._tell_of(state.bot, command_id, due[command_id])

    async def _tell_of(self, bot: str, command_id: str, event: Event) -> None:
        self._told.add(command_id)
        try:
            await self.journal(bot, event)
        except (OSError, DeskwatchError) as error:
            self._told.discard(command_id)
            logger.error("what became of a command could not be journaled", extra={"error": str(error)})

    def _heard(self, bot: str) -> float | None:
        """When a bot was heard last."""
        state = self._feed.projections.state.bots.get(bot)
        return None if state is None else state.last_event


def _tell(bot: str, reason: str, events: int, message: str) -> None:
    logger.error(
        "a control journal is in trouble", extra={"bot": bot, "reason": reason, "lost": events, "error": message}
    )
