"""Who stopped a bot: kept on disk, so that a restart of the sidecar does not start what a person stopped or killed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.scrub import scrub
from deskwatch.sidecar.supervisor import patience
from deskwatch.sidecar.supervisor.patience import briefly

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""A word that the disk refused is tried again after this time."""
UNREADABLE = "a word is kept on disk that can't be read"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that a bot shall not run, until a person starts it."""

    action: str
    """`stop` or `kill`."""
    actor: str
    """Name of the token it came with."""
    at: float
    """Unix time."""
    reason: str | None = None
    """The operator's words."""


class Hold:
    """The word on one bot, in memory and on disk.

    Attributes:
        word: The word that holds, if any.
    """

    def __init__(self, home: Path, bot: str) -> None:
        self.word: Held | None = None
        self._home = home
        self._bot = bot
        self._keeping: asyncio.Task[None] | None = None
        self._turn = threading.Lock()
        self._kept: Held | None = None

    async def load(self) -> None:
        """Take the word from the disk."""
        self.word = self._kept = await asyncio.to_thread(load, self._home, self._bot)
        if self.word is not None:
            told = {"start_by": f"POST /bots/{self._bot}/process/start", **msgspec.to_builtins(self.word)}
            logger.warning("a person wanted the bot down, so that it is not started", extra={"bot": self._bot, **told})

    async def set(self, action: str, actor: str, reason: str | None) -> None:
        """A person wants the bot down."""
        self.word = Held(action=action, actor=actor, at=time.time(), reason=None if reason is None else scrub(reason))
        await self._keep()

    async def release(self) -> None:
        """A person wants the bot up."""
        if self.word is not None:
            self.word = None
            await self._keep()

    async def close(self) -> None:
        """Try a last time what is not on disk, but not for long."""
        if self._keeping is not None:
            self._keeping.cancel()
            if self._kept != self.word:
                await briefly(asyncio.to_thread(self._save))

    async def _keep(self) -> None:
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._go_on(), name=f"word on {self._bot}")
        await asyncio.wait({self._keeping}, timeout=patience.BRIEFLY_SECONDS)

    async def _go_on(self) -> None:
        """Keep the newest word, however often the disk refuses: a restart of the sidecar has nothing else to go by."""
        while True:
            word = self.word
            if not await asyncio.to_thread(self._save):
                await asyncio.sleep(RETRY_SECONDS)
            elif word is self.word:
                return

    def _save(self) -> bool:
        with self._turn:  # so that no older word is kept over a newer one
            word = self.word
            if not save(self._home, self._bot, word):
                return False
            self._kept = word
            return True


def load(home: Path, bot: str) -> Held | None:
    """The word that holds for a bot, if any. One that can't be read holds, too: a person can start the bot."""
    try:
        return msgspec.json.decode(_path(home, bot).read_bytes(), type=Held)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError) as error:
        return Held(action="stop", actor="supervisor", at=time.time(), reason=f"{UNREADABLE}: {error}")


def save(home: Path, bot: str, held: Held | None) -> bool:
    """Keep a person's word, or forget it; whether that worked. A disk that refuses keeps nobody from acting."""
    path = _path(home, bot)
    try:
        if held is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            atomic.write(path, msgspec.json.encode(held) + b"\n")
    except OSError as error:
        told = {"bot": bot, "error": str(error), "held": held is not None}
        logger.error("whether a bot shall run could not be kept on disk; it is tried again", extra=told)
        return False
    return True


def _path(home: Path, bot: str) -> Path:
    return home / "run" / f"{bot}.held.json"
