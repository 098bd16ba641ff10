"""The metrics, pushed at an interval: read on the event loop, a slice at a time, converted and sent by a thread.

There is no cursor: a reading that did not arrive is made good by the next, as all counts are cumulative.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Self

from opentelemetry.sdk.resources import Resource

from deskwatch.projections.metrics import Family, Reading, readings
from deskwatch.projections.metrics.reading import SLICE_SECONDS
from deskwatch.sinks.otlp import metrics
from deskwatch.sinks.otlp.sink import Sending
from deskwatch.sinks.trouble import Trouble

logger = logging.getLogger(__name__)

STOP_SECONDS = 2.0
"""How long the last push may take when the sidecar stops."""


class MetricsPush:
    """Pushes what `/metrics` shows. An async context manager.

    Args:
        collect: All families of now.
        ready: Set once they may be shown: not before the journals are followed to their end.
        sending: The way to the endpoint.
        resource: Who tells.
        start_of: Since when a family counts, ns since 1970.
        interval_seconds: Time between two readings.
        prepare: What has to be waited for before a reading: the samples.
    """

    name = "otlp_metrics"

    def __init__(
        self,
        collect: Callable[[], list[Family[Any]]],
        ready: asyncio.Event,
        sending: Sending,
        resource: Resource,
        start_of: Callable[[Family[Any]], int],
        interval_seconds: float,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._collect = collect
        self._ready = ready
        self._sending = sending
        self._resource = resource
        self._start_of = start_of
        self._interval = interval_seconds
        self._prepare = prepare
        self._trouble = Trouble(self.name)
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def failures(self) -> Counter[str]:
        """Readings that did not arrive, whole or in part, by reason, since the start."""
        return self._trouble.failures

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._push_regularly(), name=self.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Push once more, for `STOP_SECONDS` at most."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        deadline = time.monotonic() + STOP_SECONDS
        await self._wait(deadline)
        if self._ready.is_set() and not self._is_busy():
            await self._push()
            await self._wait(deadline)
        if not self._is_busy():
            self._sending.close()

    async def _push_regularly(self) -> None:
        await self._ready.wait()
        while True:
            if self._is_busy():
                self._trouble.tell("busy", "the endpoint has not answered to the reading before")
            else:
                await self._push()
            await asyncio.sleep(self._interval)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    async def _wait(self, deadline: float) -> None:
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, max(0.0, deadline - time.monotonic()))

    async def _push(self) -> None:
        try:
            if self._prepare is not None:
                await self._prepare()
            now = time.time_ns()
            picture = await self._read(now / 1e9)
        except Exception as error:  # the next reading may succeed, and nothing else may suffer
            logger.exception("the metrics could not be read for a push")
            self._trouble.tell(type(error).__name__, str(error))
            return
        self._thread = threading.Thread(target=self._send, args=(picture, now), name=self.name, daemon=True)
        self._thread.start()

    async def _read(self, now: float) -> list[Reading]:
        """What is shown now, family by family: each is read in one go, and between them the loop has its turn."""
        picture: list[Reading] = []
        until = time.perf_counter() + SLICE_SECONDS
        for family in self._collect():
            picture += readings([family], now)
            if time.perf_counter() >= until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE_SECONDS
        return picture

    def _send(self, picture: list[Reading], now: int) -> None:
        try:
            for request in metrics.requests(picture, self._resource, self._start_of, now):
                answer = self._sending.send(request)
                if answer.outcome != "stored":
                    self._trouble.tell(answer.reason, answer.detail)
                elif answer.rejected:
                    self._trouble.tell("rejected", f"{answer.rejected} points: {answer.detail}")
                if answer.outcome == "later":
                    return  # the rest would fare no better, and the next reading has it all
        except Exception as error:  # our own fault; it is counted, and the next reading may fare better
            logger.exception("the metrics could not be sent")
            self._trouble.tell(type(error).__name__, str(error))
