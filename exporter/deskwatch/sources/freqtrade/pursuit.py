"""Seeing a command through: what it asks for is tried and looked for, until it is seen or its time is over."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from deskwatch.command import Command
from deskwatch.errors import DeskwatchError
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused

T = TypeVar("T")

LEAST_SECONDS = 10.0
"""A command that was begun shortly before it expires has this long to be seen done."""
FIRST_SECONDS, MOST_SECONDS = 0.2, 3.0
"""Between two looks, growing."""


class NotDone(DeskwatchError):
    """What was asked for can't be done, or was not seen; the message says why, for the operator."""


class Pursuit:
    """Of one command.

    Args:
        command: It.
        look: Journals what freqtrade shows now.
    """

    def __init__(self, command: Command, look: Callable[[], Awaitable[None]]) -> None:
        left = (command.expires_ts - time.time_ns()) / 1e9
        self.command = command
        self._deadline = time.monotonic() + max(left, LEAST_SECONDS)
        self._look = look

    async def until(self, step: Callable[[], Awaitable[T | None]], missing: Callable[[], str]) -> T:
        """What `step` gives, asked again and again until that is something. It does not `look`.

        Args:
            step: Looks, acts where something has to be done, and gives the result once what was asked for is seen.
            missing: What is not seen yet, as the end of a sentence.

        Raises:
            NotDone: It was not seen in time, or freqtrade can't do it.
        """
        pause, trouble = FIRST_SECONDS, ""
        while True:
            try:
                found = await step()
                trouble = ""
            except Refused as error:
                if error.is_unknown:
                    raise NotDone(f"this freqtrade can't do that: {error}; it may be too old") from None
                found, trouble = None, str(error)
            except FreqtradeError as error:
                found, trouble = None, str(error)
            if found is not None:
                return found
            if time.monotonic() >= self._deadline:
                raise NotDone(missing() + (f"; {trouble}" if trouble else ""))
            await asyncio.sleep(min(pause, max(0.05, self._deadline - time.monotonic())))
            pause = min(pause * 1.5, MOST_SECONDS)

    async def look(self) -> None:
        """Journal what freqtrade shows now, if it answers: the next look will do else."""
        with contextlib.suppress(FreqtradeError):
            await self._look()
