"""The runs of one bot, one after the other: its start, its end, and what is known of them. Who decides is elsewhere."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from deskwatch.sidecar.supervisor import log_tail
from deskwatch.sidecar.supervisor.faults import StillThere
from deskwatch.sidecar.supervisor.kept_bot import KeptBot
from deskwatch.sidecar.supervisor.patience import briefly
from deskwatch.sidecar.supervisor.telling import ITSELF, Telling
from deskwatch.supervised import Supervised

logger = logging.getLogger(__name__)

T = TypeVar("T")
KEEPER_SECONDS = 3.0
"""How long a keeper may take beyond what it waits for, before it counts as hung."""


class Runs:
    """Starts and ends the bot; one run at a time.

    Args:
        settings: How the bot is run.
        home: Folder of all journals.
        telling: Journals what is done.
        on_end: Called after each end with the exit code and how long the bot ran, in seconds.

    Attributes:
        kept: The run that goes on; None while there is none.
        exit_code: How the last one ended; None while one goes on or where that is not known. Negative: the signal.
        last_exit_code: The same, also while another goes on.
        last_lines: The last lines of what was printed by the one that ended last.
    """

    def __init__(
        self,
        settings: Supervised,
        home: Path,
        telling: Telling,
        on_end: Callable[[int | None, float], Awaitable[None]],
    ) -> None:
        self.kept: KeptBot | None = None
        self.exit_code: int | None = None
        self.last_exit_code: int | None = None
        self.last_lines: list[str] = []
        self._settings = settings
        self._home = home
        self._telling = telling
        self._on_end = on_end
        self._watch: asyncio.Task[None] | None = None
        self._hands = ThreadPoolExecutor(4, f"supervisor of {settings.bot}")
        """Threads of its own: those of others may all wait for a disk."""

    async def find(self) -> KeptBot | None:
        """Follow the run that goes on from an earlier sidecar, if there is one."""
        found = await self.by_hand(KeptBot.find, self._home, self._settings.bot)
        if found is not None:
            self._follow(found)
        return found

    async def start(self, actor: str, reason: str | None) -> None:
        """Start the bot, which does not run.

        Raises:
            OSError: It can't be started.
        """
        kept = await self.by_hand(KeptBot.start, self._settings, self._home)
        self.exit_code = None
        self._follow(kept)
        await self._telling.tell("start", actor, pid=kept.pid, reason=reason)

    async def end(self, actor: str, reason: str | None) -> None:
        """Ask the bot to end and wait until nothing of it is left; its keeper kills what is left after the grace.

        Raises:
            StillThere: It did not end although it was killed.
        """
        kept = self.kept
        if kept is None:
            await self.told()
            return
        await self._telling.tell("stop", actor, pid=kept.pid, reason=reason)
        await self.by_hand(kept.ask_to_end)
        await self.wait_or_kill()

    async def wait_or_kill(self) -> None:
        """Wait for an end that was asked for; where a keeper does not do its work, kill both.

        Raises:
            StillThere: Something did not end although it was killed.
        """
        if not await self._gone(self._settings.grace_seconds + KEEPER_SECONDS):
            logger.warning("the bot's keeper does not answer; both are killed", extra={"bot": self._settings.bot})
            await self.kill()

    async def kill(self) -> None:
        """Kill the bot and all that it started, if it runs.

        Raises:
            StillThere: Something did not end although it was killed.
        """
        kept = self.kept
        if kept is None:
            return
        await self.by_hand(kept.kill)
        if not await self._gone(KEEPER_SECONDS):
            await self.by_hand(kept.kill_with_keeper)
            if not await self._gone(KEEPER_SECONDS):
                raise StillThere(
                    f"expected {self._settings.bot} to end by SIGKILL, but process {kept.pid} hangs in the kernel; "
                    f"look at what it waits for, or restart the machine"
                )

    async def told(self) -> None:
        """Wait until the end of a run that has ended is told."""
        if self.kept is None and self._watch is not None:
            await asyncio.wait({self._watch})

    async def close(self) -> None:
        """Let go of what runs still; what is not detached ends by that."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        if self.kept is not None:
            self.kept.close()
        self._hands.shutdown(wait=False)

    async def by_hand(self, act: Callable[..., T], *arguments: object) -> T:
        """Do what blocks for a moment."""
        return await asyncio.get_running_loop().run_in_executor(self._hands, act, *arguments)

    def _follow(self, kept: KeptBot) -> None:
        self.kept = kept
        self._watch = asyncio.create_task(self._await_end(kept), name=f"end of {self._settings.bot}")

    async def _await_end(self, kept: KeptBot) -> None:
        code = await kept.ended()
        await self.by_hand(kept.sweep)
        kept.close()
        bot = self._settings.bot
        self.last_lines = await briefly(asyncio.to_thread(log_tail.last_lines, self._home, bot)) or []
        self.exit_code = self.last_exit_code = code
        self.kept = None
        ran = time.monotonic() - kept.began
        told = {"bot": bot, "exit_code": code, "ran_seconds": round(ran, 1), "last_lines": self.last_lines}
        logger.info("the bot's process ended", extra=told)
        await self._telling.tell("exit", ITSELF, pid=kept.pid, exit_code=code, last_lines=self.last_lines)
        await self._on_end(code, ran)

    async def _gone(self, seconds: float) -> bool:
        if self._watch is None:
            return True
        done, _ = await asyncio.wait({self._watch}, timeout=seconds)
        return bool(done)
