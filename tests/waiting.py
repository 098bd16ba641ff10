"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T | Literal[False] | None], seconds: float = 5.0, *, every: float = 0.02) -> T:
    """The first truthy value of `condition`; an AssertionError with its last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}, last value {value!r}")
        time.sleep(every)


async def eventually_async(
    condition: Callable[[], T | Literal[False] | None], seconds: float = 5.0, *, every: float = 0.01
) -> T:
    """As `eventually`, for tests that share their event loop with what they wait for."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}, last value {value!r}")
        await asyncio.sleep(every)
    return value
