"""The sidecar's beat: `<home>/sidecar.beat` is touched each second, from the event loop that serves and commands.

A bot that is told to (`Recorder.open(silence_seconds=…)`) lowers its own mode when the file has stood still.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from deskwatch.journal.names import BEAT
from deskwatch.sidecar.steady import Steady

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class Beat(Steady):
    """Touches the file. An async context manager."""

    def __init__(self, home: Path) -> None:
        self._path = home / BEAT

    async def _work(self) -> None:
        is_told = False
        while True:
            try:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
                os.utime(self._path)
                is_told = False
            except OSError as error:
                if not is_told:
                    logger.error("the sidecar's beat can't be told; bots may lower their mode: %s", error)
                is_told = True
            await asyncio.sleep(BEAT_SECONDS)
