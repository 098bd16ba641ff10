"""What the tests of OTLP ask: sinks at a receiver's address, what the receiver should hold, and what it does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deskwatch.sinks.otlp import resolve
from deskwatch.sinks.otlp.sink import OtlpSink, Pace
from deskwatch.sinks.otlp.start import OtlpSinks
from tests.fakes.otlp import FakeOtlp, Span

QUICK = Pace(linger_seconds=0.005, first_seconds=0.002, most_seconds=0.004, batch_bytes=8 * 1024)
"""Nothing waits long, and a batch is small."""


def sinks(home: Path, otlp: FakeOtlp, *, pace: Pace = QUICK, **environ: str) -> OtlpSinks:
    """Both sinks, over the receiver's protocol."""
    protocol = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"} if otlp.is_grpc else {}
    return OtlpSinks(home, resolve(otlp.url, {**protocol, **environ}), pace)


def named(both: OtlpSinks, signal: str) -> OtlpSink:
    """One of them."""
    (found,) = [sink for sink in both.sinks if sink.name == f"otlp_{signal}"]
    return found


def quarantined(home: Path, signal: str = "logs") -> list[dict[str, Any]]:
    """The rows in a sink's quarantine."""
    path = home / "sinks" / f"otlp_{signal}.quarantine.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def shipped(otlp: FakeOtlp) -> Counter[tuple[str, str]]:
    """Bot and line of each log record that the receiver holds, and how often."""
    return Counter((log.resource["service.name"], log.body) for log in otlp.logs)


def whole(spans: Iterable[Span]) -> dict[str, dict[str, Span]]:
    """Trace → span id → span; a span that came twice is the same each time, and each parent is there."""
    found: dict[str, dict[str, Span]] = {}
    for span in spans:
        known = found.setdefault(span.trace, {}).setdefault(span.id, span)
        assert known == span
    for trace in found.values():
        assert all(span.parent == "" or span.parent in trace for span in trace.values())
    return found
