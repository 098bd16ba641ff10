"""The supervised bot: one configured command, started and stopped here and nowhere else.

Its output goes straight into a file, so that a sidecar that dies takes no pipe from under the bot. It runs in a process
group of its own, and is told to end when the sidecar is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from deskwatch.events import ProcessActed
from deskwatch.scrub import scrub

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10.0
"""Between asking the bot to end and killing it."""
MAX_LOG_BYTES = 10 * 1024 * 1024
"""The output file is moved aside at a start when it is longer."""
TAIL_BYTES = 256 * 1024

Journal = Callable[[str, ProcessActed], Awaitable[None]]


class Supervisor:
    """Runs one bot's command. An async context manager that starts it and, leaving, stops it.

    Attributes:
        bot: The bot's name, which the command finds in DESKWATCH_BOT.
        exit_code: How the last process ended; None while it runs. Negative: the signal.
    """

    def __init__(self, bot: str, argv: list[str], home: Path, journal: Journal) -> None:
        self.bot = bot
        self.exit_code: int | None = None
        self.log_path = home / "logs" / f"{bot}.log"
        self._argv = argv
        self._home = home
        self._journal = journal
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The running process, None while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def __aenter__(self) -> Self:
        await self.start("supervisor")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop("supervisor", "the sidecar stops")

    async def start(self, actor: str, reason: str | None = None) -> None:
        """Start the command, unless it runs.

        Raises:
            OSError: It can't be started.
        """
        async with self._lock:
            if self.pid is not None:
                return
            self.log_path.parent.mkdir(mode=0o700, exist_ok=True)
            if self.log_path.exists() and self.log_path.stat().st_size > MAX_LOG_BYTES:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            env = {**os.environ, "DESKWATCH_HOME": str(self._home), "DESKWATCH_BOT": self.bot}
            with self.log_path.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "deskwatch.leash",
                    *self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=env,
                    start_new_session=True,
                )
            self.exit_code = None
            self._watch = asyncio.create_task(self._await_exit(self._process), name=f"exit of {self.bot}")
        await self._tell(ProcessActed(action="start", actor=actor, pid=self.pid, reason=reason))

    async def stop(self, actor: str, reason: str | None = None) -> None:
        """Ask the process group to end, and kill what is left of it after GRACE_SECONDS."""
        async with self._lock:
            process = self._process
            if process is None or process.returncode is not None:
                return
            await self._tell(ProcessActed(action="stop", actor=actor, pid=process.pid, reason=reason))
            _signal_group(process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(GRACE_SECONDS):
                    await process.wait()
            except TimeoutError:
                logger.warning("the bot did not end in time and is killed", extra={"bot": self.bot})
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            if self._watch is not None:
                await self._watch

    async def restart(self, actor: str, reason: str | None = None) -> None:
        """Stop, then start.

        Raises:
            OSError: It can't be started.
        """
        await self.stop(actor, reason)
        await self.start(actor, reason)

    def tail(self, lines: int) -> list[str]:
        """The last lines of the bot's output, secrets scrubbed."""
        try:
            with self.log_path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return []
        return [scrub(line) for line in text.splitlines()[-lines:]]

    async def _await_exit(self, process: asyncio.subprocess.Process) -> None:
        self.exit_code = await process.wait()
        ended = {"bot": self.bot, "exit_code": self.exit_code, "log": str(self.log_path), "last_lines": self.tail(5)}
        logger.info("the bot's process ended", extra=ended)
        await self._tell(ProcessActed(action="exit", actor="supervisor", pid=process.pid, exit_code=self.exit_code))

    async def _tell(self, event: ProcessActed) -> None:
        """Journal what was done. A full disk keeps nobody from stopping a bot."""
        try:
            await self._journal(self.bot, event)
        except OSError as error:
            logger.error("a process action could not be journaled", extra={"bot": self.bot, "error": str(error)})


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
