"""A bot that runs under a keeper, started here or found: its end is awaited, asked for, or made.

All but the waiting blocks for a moment and is called on a thread. Whoever is signalled is held by a descriptor of the
process and checked by its start first, so that no process that got the same id later is ever hit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import Self

import msgspec

from deskwatch import keeper
from deskwatch.keeper import keeping, processes
from deskwatch.keeper.keeping import MARK, Keeping, Kept
from deskwatch.supervised import Supervised

START_SECONDS = 20.0
"""How long a keeper may take to say that it started the bot."""
SWEEP_SECONDS = 2.0
"""How long the kernel is given to end what was killed."""
SETTLE_SECONDS = 5.0
"""How long a keeper that an earlier sidecar started is given to tell of itself."""
LOOK_SECONDS = 0.1
"""Between two looks at a process where the system has no event for its end."""
_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from deskwatch.keeper.__main__ import main; main()"
_ROOT = str(Path(keeper.__file__).parents[2])
"""Where deskwatch lies; told to the keeper, as the working folder, which may be the bot's, is not looked through."""


class KeptBot:
    """One run of the bot.

    Attributes:
        kept: What its keeper told of it.
        asked_by: Who asked for its end; None while nobody did.
    """

    def __init__(self, kept: Kept, home: Path, bot: str, *, is_child: bool, lifeline: int | None = None) -> None:
        self.kept = kept
        self.asked_by: str | None = None
        self.began = time.monotonic() - max(0.0, time.time() - kept.started_at)
        self._home = home
        self._bot = bot
        self._is_child = is_child
        self._lifeline = lifeline
        self._pidfd: int | None = None
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # gone already, or an old kernel
                self._pidfd = os.pidfd_open(kept.keeper.pid)

    @classmethod
    def start(cls, settings: Supervised, home: Path) -> Self:
        """Start the bot under a keeper.

        Raises:
            OSError: It can't be started.
        """
        told = Keeping(
            bot=settings.bot,
            home=str(home),
            start_id=uuid.uuid4().hex,
            detached=settings.detach,
            grace_seconds=settings.grace_seconds,
            log_bytes=settings.log_bytes,
            log_files=settings.log_files,
        )
        argv = [sys.executable, "-P", "-c", _CODE, _ROOT, msgspec.json.encode(told).decode(), *settings.command]
        report, reports = os.pipe2(os.O_CLOEXEC)
        lived, lifeline = os.pipe2(os.O_CLOEXEC)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, lived, 0), *((os.POSIX_SPAWN_DUP2, reports, fd) for fd in (1, 2))]
            pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions, setsid=True)
        except BaseException:
            os.close(lifeline)
            os.close(report)
            raise
        finally:
            os.close(lived)
            os.close(reports)
        try:
            kept = _read_report(report)
        except BaseException:
            os.close(lifeline)  # it ends by that
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            os.close(report)
        if settings.detach:
            os.close(lifeline)
        return cls(kept, home, settings.bot, is_child=True, lifeline=None if settings.detach else lifeline)

    @classmethod
    def find(cls, home: Path, bot: str) -> Self | None:
        """The bot's run that goes on from an earlier sidecar. What an earlier run left without a keeper is killed."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            kept = keeping.load(home, bot)
            if kept is not None and kept.ended is None:
                if kept.keeper.is_there:
                    found = cls(kept, home, bot, is_child=False)
                    if kept.keeper.is_there:  # so that what the descriptor holds is the keeper
                        return found
                    found.close()
                processes.kill_marked(MARK, kept.start_id)
            if not keeping.is_locked(home, bot) or time.monotonic() > deadline:
                return None
            time.sleep(LOOK_SECONDS)  # one that is about to tell, or about to be gone

    @property
    def pid(self) -> int:
        """The bot's process."""
        return self.kept.bot.pid

    async def ended(self) -> int | None:
        """Wait until nothing of the bot is left, or its keeper is gone; the exit code, None where it isn't known."""
        if self._pidfd is None:
            while self.kept.keeper.is_there:  # noqa: ASYNC110  the system has no event for it
                await asyncio.sleep(LOOK_SECONDS)
        else:
            loop = asyncio.get_running_loop()
            gone = asyncio.Event()
            loop.add_reader(self._pidfd, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(self._pidfd)
        return self._code()

    def ask_to_end(self) -> None:
        """Let the keeper ask the bot to end, and kill what is left after the grace that it was told."""
        processes.send(self.kept.keeper, signal.SIGTERM)

    def kill(self) -> bool:
        """SIGKILL to all that the bot is and started; whether nothing of it is left. The keeper ends by itself then."""
        return processes.kill_below(self.kept.keeper, seconds=SWEEP_SECONDS)

    def kill_with_keeper(self) -> bool:
        """The same, for a keeper that does not answer; whether nothing of the bot is left."""
        is_done = self.kill()
        processes.send(self.kept.keeper, signal.SIGKILL)
        return processes.kill_marked(MARK, self.kept.start_id, seconds=SWEEP_SECONDS) and is_done

    def sweep(self) -> None:
        """Kill what is left after the keeper's end: nothing, unless the keeper was killed."""
        processes.kill_marked(MARK, self.kept.start_id)

    def close(self) -> None:
        """Let go of the keeper; one that is not detached ends the bot by that."""
        for fd in (self._lifeline, self._pidfd):
            if fd is not None:
                os.close(fd)
        self._lifeline = self._pidfd = None

    def _code(self) -> int | None:
        if self._is_child:
            with contextlib.suppress(ChildProcessError):
                return os.waitstatus_to_exitcode(os.waitpid(self.kept.keeper.pid, 0)[1])
        told = keeping.load(self._home, self._bot)
        if told is not None and told.start_id == self.kept.start_id and told.ended is not None:
            return told.ended.exit_code
        return None


def _read_report(report: int) -> Kept:
    """The keeper's first line.

    Raises:
        OSError: It said something else, or nothing in time.
    """
    said = b""
    deadline = time.monotonic() + START_SECONDS
    while not said.endswith(b"\n") or not said.startswith(b"{"):
        ready, _, _ = select.select([report], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(None, f"its keeper did not say within {START_SECONDS:g} s that it was started")
        chunk = os.read(report, 4096)
        if not chunk:
            words = said.decode(errors="replace").strip().splitlines()
            raise OSError(None, f"its keeper failed: {words[-1] if words else 'it said nothing'}"[:500])
        said += chunk
    return msgspec.json.decode(said, type=Kept)
