"""A part whose work is one task, from the sidecar's start to its end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Steady:
    """An async context manager that runs `_work` meanwhile, and cancels it on leaving."""

    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work(), name=type(self).__name__)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        """What it does, until it is cancelled."""
        raise NotImplementedError
