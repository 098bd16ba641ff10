"""A supervisor of a bot that is a line of Python, and what it journaled."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deskwatch.events import ProcessActed
from deskwatch.sidecar.supervisor import log_tail
from deskwatch.sidecar.supervisor.supervisor import Supervisor
from deskwatch.supervised import Restart, Supervised
from tests.waiting import eventually_async

BOT = "arb-1"
SAY = (
    "import os, time, signal; "
    "os.write(1, ' '.join(('up', os.environ['DESKWATCH_BOT'], os.environ['DESKWATCH_HOME'])).encode() + b'\\n'); "
)
"""Says it in one write: `print` makes several, and who sees the first may end it before the others."""
LAST = SAY + "time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LAST
SECONDS = 60.0
"""Patience with a machine that does something else too."""


class Said(list[ProcessActed]):
    """What was journaled."""

    async def journal(self, bot: str, event: ProcessActed) -> None:
        assert bot == BOT
        self.append(event)

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(event.action, event.actor) for event in self]


def settings(code: str = LAST, **more: Any) -> Supervised:
    """A bot that runs some Python, restarted never unless a test says so."""
    return Supervised(
        **{"bot": BOT, "command": (sys.executable, "-c", code), "restart": Restart.NEVER, "grace_seconds": 5.0, **more}
    )


@contextlib.asynccontextmanager
async def supervising(home: Path, code: str = LAST, said: Said | None = None, **more: Any) -> AsyncIterator[Supervisor]:
    """A supervisor, entered."""
    said = Said() if said is None else said
    async with Supervisor(settings(code, **more), home, said.journal) as one:
        yield one


def lines(one: Supervisor, most: int = 100) -> list[str]:
    """The bot's output."""
    return log_tail.tail(one.home, one.bot, most)


async def up(one: Supervisor, times: int = 1) -> None:
    """Wait until the bot has said so often that it is up."""
    await eventually_async(lambda: sum(line.startswith("up") for line in lines(one)) == times, SECONDS)


async def down(one: Supervisor) -> None:
    """Wait until the bot has ended."""
    await eventually_async(lambda: not one.status.running, SECONDS)
