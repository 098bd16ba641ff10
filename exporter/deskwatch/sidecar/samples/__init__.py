"""Figures that are read when asked, off the event loop: processes, host, container, backlogs, how full families are.

A sampler is a file here: it reads its figures from outside the projections, as families of now. Reading the processes
of a hundred bots takes longer than a scrape may hold the event loop, and a disk that hangs would hold it for good. So
samples are taken in a thread just before a scrape's picture; measured with a hundred processes and a loop that has work
of its own, its lag stayed below 5.5 ms, where slices of 2 ms on the loop made it 12 to 15.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from deskwatch.projections.metrics import Family
from deskwatch.sidecar.samples.backlog import Backlog
from deskwatch.sidecar.samples.container import Container
from deskwatch.sidecar.samples.fill import Fill
from deskwatch.sidecar.samples.host import Host
from deskwatch.sidecar.samples.process import BotProcesses, SidecarProcess

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""How long a scrape waits for its samples; then it goes without, and the next one looks again."""


class Sampler(Protocol):
    """Reads some figures. Called from a thread, one call at a time."""

    def read(self) -> list[Family[Any]]:
        """The families of now. What the system does not tell is a family without series."""


class Samples:
    """Takes samples, and keeps the newest."""

    def __init__(self, samplers: Iterable[Sampler]) -> None:
        self._samplers = tuple(samplers)
        self._newest: list[Family[Any]] = []
        self._under_way: asyncio.Task[list[Family[Any]]] | None = None

    async def take(self) -> None:
        """Read everything anew. Whoever comes while that is under way waits for the same."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(asyncio.to_thread(self._read), name="samples")
        task = self._under_way
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if not task.done():
            logger.warning("samples could not be taken in time, going without")
        self._newest = task.result() if task.done() else []

    def families(self) -> list[Family[Any]]:
        """What was taken last."""
        return self._newest

    def _read(self) -> list[Family[Any]]:
        found: list[Family[Any]] = []
        for sampler in self._samplers:
            try:
                found += sampler.read()
            except Exception:  # one that fails keeps no other figure from being seen
                logger.exception("samples could not be taken", extra={"sampler": type(sampler).__name__})
        return found


__all__ = ["Backlog", "BotProcesses", "Container", "Fill", "Host", "Sampler", "Samples", "SidecarProcess"]
