"""Taking commands: each is journaled durably before it is answered, and expired when the bot does not start it.

A disk that takes the line and does not confirm it is asked again for SYNC_SECONDS. Then the command counts as accepted
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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from deskwatch.encoding import encode
from deskwatch.errors import DeskwatchError, NotSynced
from deskwatch.events import CommandAccepted, CommandExpired, Event
from deskwatch.journal import Writer, names
from deskwatch.journal.chained import ChainedWriter
from deskwatch.projections.commands import CommandState
from deskwatch.scrub import scrub_value, scrubbed
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.secret_params import refuse_secrets

logger = logging.getLogger(__name__)

EXPIRY_SECONDS = 30.0
"""A bot must start a command within this time."""
GRACE_SECONDS = 2.0
"""A command that was started in its last instant is given this long to be seen."""
MAX_RECENT = 1000
"""Accepted commands whose keys are known although the feed has not folded them yet."""
VISIBLE_SECONDS = 5.0
"""How long to wait for an accepted command to come back through the journal."""
SYNC_SECONDS = 2.0
"""How long a disk that doesn't confirm is asked again before the caller is answered."""
SYNC_PAUSE_SECONDS = 0.2


class KeyReused(Exception):
    """An idempotency key came again with another command."""


class Commanding:
    """The control side's writers. An async context manager."""

    def __init__(self, home: Path, feed: Feed) -> None:
        self._home = home
        self._feed = feed
        self._writers: dict[str, Writer] = {}
        self._opening = threading.Lock()
        self._locks: dict[str, asyncio.Lock] = {}
        self._recent: dict[tuple[str, str], CommandState] = {}
        self._expired: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.is_secret: Callable[[str], bool] = lambda _: False
        """Whether a text is a token of ours: none is journaled."""
        self.unsynced: set[str] = set()
        """Bots whose control journal is not known to be on disk."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._expire(), name="command expiry")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Put everything on disk and release the journals."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for bot, writer in self._writers.items():
            try:
                await asyncio.to_thread(writer.close)
            except (OSError, DeskwatchError) as error:
                logger.error("a control journal could not be put on disk", extra={"bot": bot, "error": str(error)})

    async def accept(
        self, bot: str, kind: str, params: dict[str, Any], *, actor: str, reason: str | None, key: str | None
    ) -> CommandState:
        """Pass a command on to a bot; it is on disk when this returns, unless the bot is among the `unsynced` then.

        Args:
            bot: A bot that has a journal.
            kind: The command's type.
            params: Its parameters, checked.
            actor: Name of the token it came with.
            reason: The operator's words.
            key: The caller's idempotency key: the same key and command give the same resource.

        Raises:
            KeyReused: The key came with another command before.
            Problem: 422, a parameter holds a secret.
            OSError: The journal can't be written: the command was not accepted.
        """
        reason = scrub_value(reason, self.is_secret)
        refuse_secrets(params, self.is_secret)
        async with self._locks.setdefault(bot, asyncio.Lock()):
            if key is not None and (known := self._known(bot, key)) is not None:
                if (known.type, known.params) != (kind, params):
                    raise KeyReused(key)
                return known
            accepted = CommandAccepted(
                command_id=uuid.uuid4().hex,
                command=kind,
                params=params,
                actor=actor,
                reason=reason,
                expires_ts=time.time_ns() + int(EXPIRY_SECONDS * 1e9),
                idempotency_key=key,
            )
            await self.journal(bot, accepted)
            state = CommandState(id=accepted.command_id, bot=bot, type=kind, params=params, actor=actor, reason=reason)
            if key is not None:
                self._recent[bot, key] = state
                if len(self._recent) > MAX_RECENT:
                    del self._recent[next(iter(self._recent))]
            await self._feed.wait_for(lambda: self._is_folded(state.id), VISIBLE_SECONDS)
            return self._feed.projections.commands.get(state.id) or state

    def _known(self, bot: str, key: str) -> CommandState | None:
        """The command of a key: as folded, or as accepted where the feed lags behind."""
        folded = self._feed.projections.commands.by_key(bot, key)
        return folded if folded is not None else self._recent.get((bot, key))

    def _is_folded(self, command_id: str) -> bool:
        command = self._feed.projections.commands.get(command_id)
        return command is not None and command.accepted_at is not None

    async def journal(self, bot: str, event: Event) -> None:
        """Append an event of the sidecar's own to a bot's control journal, durably or else `unsynced`.

        Raises:
            OSError: The journal can't be written.
            JournalError: The journal is locked by another process, or closed.
        """
        await asyncio.to_thread(self._append, bot, encode(scrubbed(event, self.is_secret)))

    def _append(self, bot: str, body: bytes) -> None:
        with self._opening:
            writer = self._writers.get(bot)
            if writer is None:
                folder = names.writer_folder(self._home, bot, names.CONTROL)
                writer = self._writers[bot] = ChainedWriter(folder, on_trouble=partial(_tell, bot)).open()
        try:
            writer.append(body, durable=True)
        except NotSynced as error:
            self.unsynced.add(bot)
            self._ask_again(bot, writer, error)
        else:
            self.unsynced.discard(bot)

    def _ask_again(self, bot: str, writer: Writer, error: Exception) -> None:
        """Sync until the disk confirms what is in the journal, or the time is over."""
        deadline = time.monotonic() + SYNC_SECONDS
        while not self._is_synced(bot, writer):
            if time.monotonic() >= deadline:
                told = {"bot": bot, "error": str(error)}
                logger.error("what was journaled is not known to be on disk; it is tried again", extra=told)
                return
            time.sleep(SYNC_PAUSE_SECONDS)

    def _is_synced(self, bot: str, writer: Writer) -> bool:
        try:
            writer.sync()
        except (OSError, DeskwatchError):
            return False
        self.unsynced.discard(bot)
        return True

    def _keep(self) -> None:
        """Put on disk what is not yet, and see to it that the journals are still in their place."""
        for bot, writer in list(self._writers.items()):
            self._is_synced(bot, writer)

    async def _expire(self) -> None:
        await self._feed.caught_up.wait()  # before, what the bots did with their commands is not known
        while True:
            await asyncio.sleep(1.0)
            await asyncio.to_thread(self._keep)
            overdue = self._feed.projections.commands.overdue(time.time() - GRACE_SECONDS)
            self._expired &= {command.id for command in overdue}
            for command in overdue:
                if command.id not in self._expired:
                    self._expired.add(command.id)
                    try:
                        await self.journal(command.bot, CommandExpired(command_id=command.id, command=command.type))
                    except (OSError, DeskwatchError) as error:
                        self._expired.discard(command.id)
                        logger.error("an expiry could not be journaled", extra={"error": str(error)})


def _tell(bot: str, reason: str, events: int, message: str) -> None:
    logger.error(
        "a control journal is in trouble", extra={"bot": bot, "reason": reason, "lost": events, "error": message}
    )
