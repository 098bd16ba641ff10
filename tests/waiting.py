"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")

MOST_PATIENCE = 10.0
DEADLINE_SECONDS = 30.0
"""For what has to come, where how soon it comes is not what is tested: a stall of a busy machine takes seconds."""


def patience() -> float:
    """How many times longer than on an idle machine anything may take: by how many processes share each core."""
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), MOST_PATIENCE)


def eventually(
    condition: Callable[[], T | Literal[False] | None], seconds: float = DEADLINE_SECONDS, *, every: float = 0.02
) -> T:
    """The first truthy value of `condition`; an AssertionError with its last one after `seconds` of an idle machine."""
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() - began > seconds * patience():
            raise AssertionError(f"not within {seconds} s: {condition}, last value {value!r}")
        time.sleep(every)


async def eventually_async(
    condition: Callable[[], T | Literal[False] | None], seconds: float = DEADLINE_SECONDS, *, every: float = 0.01
) -> T:
    """As `eventually`, for tests that share their event loop with what they wait for."""
    began = time.monotonic()
    while not (value := condition()):
        if time.monotonic() - began > seconds * patience():
            raise AssertionError(f"not within {seconds} s: {condition}, last value {value!r}")
        await asyncio.sleep(every)
    return value
