"""Who stopped a bot: kept on disk, so that a restart of the sidecar does not start what a person stopped or killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.scrub import scrub
from deskwatch.sidecar.supervisor.patience import briefly

logger = logging.getLogger(__name__)


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

    async def load(self) -> None:
        """Take the word from the disk."""
        self.word = await asyncio.to_thread(load, self._home, self._bot)
        if self.word is not None:
            told = {"start_by": f"POST /bots/{self._bot}/process/start", **msgspec.to_builtins(self.word)}
            logger.warning("a person wanted the bot down, so that it is not started", extra={"bot": self._bot, **told})

    async def set(self, action: str, actor: str, reason: str | None) -> None:
        """A person wants the bot down."""
        self.word = Held(action=action, actor=actor, at=time.time(), reason=None if reason is None else scrub(reason))
        await briefly(asyncio.to_thread(save, self._home, self._bot, self.word))

    async def release(self) -> None:
        """A person wants the bot up."""
        if self.word is not None:
            self.word = None
            await briefly(asyncio.to_thread(save, self._home, self._bot, None))


def load(home: Path, bot: str) -> Held | None:
    """The word that holds for a bot, if any."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(_path(home, bot).read_bytes(), type=Held)
    return None


def save(home: Path, bot: str, held: Held | None) -> None:
    """Keep a person's word, or forget it. A disk that refuses is told and keeps nobody from acting."""
    path = _path(home, bot)
    try:
        if held is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            atomic.write(path, msgspec.json.encode(held) + b"\n")
    except OSError as error:
        told = {"bot": bot, "error": str(error), "held": held is not None}
        logger.error("whether a bot shall run could not be kept on disk", extra=told)


def _path(home: Path, bot: str) -> Path:
    return home / "run" / f"{bot}.held.json"
