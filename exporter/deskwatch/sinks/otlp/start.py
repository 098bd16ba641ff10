"""Wiring: the sinks and the push that an OTLP endpoint asks for. Importing this imports OpenTelemetry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Container, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from deskwatch.projections.metrics import Family
from deskwatch.sinks.otlp import since
from deskwatch.sinks.otlp.destination import Destination, Signal
from deskwatch.sinks.otlp.exporters import open_exporter
from deskwatch.sinks.otlp.logs import Logs
from deskwatch.sinks.otlp.push import MetricsPush
from deskwatch.sinks.otlp.resources import Resources
from deskwatch.sinks.otlp.sink import OtlpSink, Pace, Translation
from deskwatch.sinks.otlp.traces import Traces


class OtlpSinks:
    """The sinks for logs and traces, started and stopped together. An async context manager.

    Attributes:
        sinks: `otlp_logs` and `otlp_traces`, as far as they have a destination.

    Raises:
        OSError: Which instance this is can't be kept.
    """

    def __init__(self, home: Path, destinations: Mapping[Signal, Destination], pace: Pace | None = None) -> None:
        resources = Resources(since.load(home).instance)
        translations: dict[Signal, Translation] = {"logs": Logs(resources), "traces": Traces(resources)}
        self.sinks = [
            OtlpSink(f"otlp_{signal}", home, translation, open_exporter(destinations[signal]), pace)
            for signal, translation in translations.items()
            if signal in destinations
        ]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for sink in self.sinks:
            await self._stack.enter_async_context(sink)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop them at the same time: endpoints that are down hold up the end once, not once each."""
        for sink in self.sinks:
            sink.stop()
        await self._stack.aclose()


def metrics_push(
    home: Path,
    destination: Destination,
    collect: Callable[[], list[Family[Any]]],
    ready: asyncio.Event,
    prepare: Callable[[], Awaitable[None]],
    *,
    kept: Container[str],
    anew: bool,
) -> MetricsPush:
    """What pushes the metrics.

    Args:
        home: Whose.
        destination: Where to.
        collect: All families of now.
        ready: Set once they may be shown.
        prepare: What has to be waited for before they are read.
        kept: Names of the families that a restart takes up again; the others begin with this process.
        anew: What the kept ones counted before is lost.

    Raises:
        OSError: Since when they count can't be kept.
    """
    began = time.time_ns()
    known = since.load(home, anew=anew)
    return MetricsPush(
        collect,
        ready,
        open_exporter(destination),
        Resources(known.instance).of_sidecar(),
        lambda family: known.start if family.name in kept else began,
        destination.interval_seconds,
        prepare,
    )
