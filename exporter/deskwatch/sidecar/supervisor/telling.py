"""Journaling what was done with a process. Nothing waits long for it: a disk must keep nobody from stopping a bot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from deskwatch.errors import DeskwatchError
from deskwatch.events import ProcessActed
from deskwatch.scrub import scrub
from deskwatch.sidecar.supervisor.patience import briefly

logger = logging.getLogger(__name__)

Journal = Callable[[str, ProcessActed], Awaitable[None]]

ITSELF = "supervisor"
"""Who acts where no person does."""


class Telling:
    """One bot's actions, journaled in the order in which they were told."""

    def __init__(self, bot: str, journal: Journal) -> None:
        self._bot = bot
        self._journal = journal
        self._order = asyncio.Lock()

    async def tell(
        self,
        action: str,
        actor: str,
        *,
        pid: int | None = None,
        exit_code: int | None = None,
        reason: str | None = None,
        last_lines: list[str] | None = None,
    ) -> None:
        """Journal an action, its text scrubbed. Where the disk takes long, the action goes on and is journaled later.

        Nothing is raised.
        """
        event = ProcessActed(
            action=action,
            actor=actor,
            pid=pid,
            exit_code=exit_code,
            reason=None if reason is None else scrub(reason),
            last_lines=last_lines or None,
        )
        await briefly(self._append(event))

    async def close(self) -> None:
        """Wait a while for what is not journaled yet."""
        await briefly(self._settled())

    async def _settled(self) -> None:
        async with self._order:
            return

    async def _append(self, event: ProcessActed) -> None:
        async with self._order:
            try:
                await self._journal(self._bot, event)
            except (OSError, DeskwatchError) as error:
                told = {"bot": self._bot, "action": event.action, "error": str(error)}
                logger.error("a process action could not be journaled", extra=told)
