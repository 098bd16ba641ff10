"""Sign-ins that were refused: slowed, and journaled so that a flood of them does not fill the disk.

Who sends wrong tokens waits longer each time, by address. Nobody who bears a right one waits, from wherever it comes: a
halt gets through at once. Of each address and problem the first refusal is journaled as it comes; those that follow
within the pause are journaled together, as one event with their number.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Self

from deskwatch.errors import DeskwatchError
from deskwatch.events import Event, SignInRefused

logger = logging.getLogger(__name__)

FIRST_SECONDS = 0.05
"""How long the first wrong token of an address is held up; twice that the second, and so on."""
MAX_SECONDS = 2.0
FORGET_SECONDS = 60.0
"""An address that sent no wrong token for so long begins anew."""
MAX_ADDRESSES = 1024
MAX_WAITING = 64
"""Requests that wait at one time; more are answered at once, with 429."""
PAUSE_SECONDS = 10.0
"""Between two events about one address and problem."""
MAX_KINDS = 100
"""Addresses and problems that are told apart within a pause; more are told as `others`."""
OTHERS = "others"

Journal = Callable[[Event], Awaitable[None]]


class Refusals:
    """Slows, and journals in a task of its own. An async context manager.

    Attributes:
        waiting: Requests that are held up.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._noted: dict[tuple[str, str], tuple[str, int]] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._woken = asyncio.Event()
        self._journal: Journal | None = None
        self._task: asyncio.Task[None] | None = None

    def journal_by(self, journal: Journal) -> Self:
        """What appends an event to the sidecar's journal."""
        self._journal = journal
        return self

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write(), name="refused sign-ins")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Journal what was noted."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._told.clear()
        await self._flush()

    def note(self, remote: str, route: str, problem: str) -> None:
        """Take in a refusal: to be journaled, soon."""
        key = (remote, problem)
        if key not in self._noted and key not in self._told and len(self._noted | self._told) >= MAX_KINDS:
            key = (OTHERS, problem)
        _, attempts = self._noted.get(key, ("", 0))
        self._noted[key] = (route, attempts + 1)
        self._woken.set()

    async def slow(self, remote: str) -> bool:
        """Hold up who sent a wrong token; False where too many wait already."""
        address = network(remote)
        now = time.monotonic()
        failures, last = self._failures.pop(address, (0, now))
        if now - last > FORGET_SECONDS:
            failures = 0
        self._failures[address] = (failures + 1, now)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
        if self.waiting >= MAX_WAITING:
            return False
        self.waiting += 1
        try:
            await asyncio.sleep(min(MAX_SECONDS, FIRST_SECONDS * 2 ** min(failures, 10)))
        finally:
            self.waiting -= 1
        return True

    async def _write(self) -> None:
        while True:
            await self._woken.wait()
            await self._flush()
            self._woken.clear()
            if self._noted:  # told lately: together, when their pause is over
                await asyncio.sleep(PAUSE_SECONDS / 10)
                self._woken.set()

    async def _flush(self) -> None:
        now = time.monotonic()
        self._told = {key: at for key, at in self._told.items() if now - at < PAUSE_SECONDS}
        for key in [key for key in self._noted if key not in self._told]:
            route, attempts = self._noted.pop(key)
            self._told[key] = now
            remote, problem = key
            event = SignInRefused(route=route, remote=remote, problem=problem, attempts=attempts)
            try:
                if self._journal is not None:
                    await self._journal(event)
            except (OSError, DeskwatchError) as error:
                logger.error("refused sign-ins could not be journaled", extra={"error": str(error)})


def network(remote: str) -> str:
    """What one stranger has: an address, of IPv6 the whole /64."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if address.version == 6 and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
