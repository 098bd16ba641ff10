"""OpenTelemetry's exporters, each handed one finished batch, and what the endpoint said to it.

The exporters tell success or failure and no more, try again by themselves, and log each failure. The sink wants to know
what kind of failure it was and tries again by itself, for ever. So each is listened to at the place where its protocol
allows it (`http`, `grpc`), tries once, and is kept quiet: what it would say is counted and told once a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.trace import ReadableSpan

from deskwatch.sinks.answer import Answer
from deskwatch.sinks.otlp.destination import Destination

Batch = Sequence[ReadableLogRecord] | Sequence[ReadableSpan] | MetricsData


class Exporting(Protocol):
    """What the exporters of all signals have in common."""

    def export(self, batch: Any, /) -> Any:  # each signal has types of its own
        """Send a batch; a member named SUCCESS or FAILURE."""

    def shutdown(self) -> None:
        """Close the connection."""


class Exporter:
    """One signal's way to its endpoint. For one thread at a time."""

    def __init__(self, exporting: Exporting, take: Callable[[], Answer | None], unheard: Answer) -> None:
        self._exporting = exporting
        self._take = take
        self._unheard = unheard

    def send(self, batch: Batch) -> Answer:
        """Hand over a batch. Never raises for trouble with the endpoint."""
        self._take()
        try:
            result = self._exporting.export(batch)
        except Exception as error:  # a batch that can't be encoded: grpc's exporter lets that through
            told = self._take()
            return told or Answer(outcome="refused", reason="encoding", detail=f"{type(error).__name__}: {error}"[:300])
        told = self._take()
        if told is not None:
            return told
        if result.name == "SUCCESS":
            return Answer(outcome="stored", reason="ok")
        return self._unheard

    def close(self) -> None:
        """Close the connection."""
        self._exporting.shutdown()


def open_exporter(destination: Destination) -> Exporter:
    """The exporter of a destination; it connects when it first sends."""
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
    if destination.protocol == "grpc":
        from deskwatch.sinks.otlp import grpc  # noqa: PLC0415  a large library that HTTP does without

        unheard = Answer(
            outcome="later", reason="unheard", detail="the exporter failed, and not by the endpoint's word"
        )
        return Exporter(*grpc.open_exporting(destination), unheard)
    from deskwatch.sinks.otlp import http  # noqa: PLC0415  as above

    unheard = Answer(outcome="refused", reason="encoding", detail="the batch can't be encoded")
    return Exporter(*http.open_exporting(destination), unheard)
