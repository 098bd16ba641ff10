"""Waiting for a disk, but not for long: what stops or kills a bot must not hang on it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
BRIEFLY_SECONDS = 1.0
_going_on: set[asyncio.Task[Any]] = set()
"""Tasks that nobody waits for any more; the loop itself keeps no reference."""


async def briefly(work: Coroutine[Any, Any, T]) -> T | None:
    """The result of some work, or None where it takes longer than BRIEFLY_SECONDS; it goes on then."""
    task = asyncio.create_task(work)
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    await asyncio.wait({task}, timeout=BRIEFLY_SECONDS)
    return task.result() if task.done() else None
