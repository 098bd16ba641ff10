"""`emit` against prometheus-client counters + python-json-logger to a file: microseconds for one event."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from pythonjsonlogger.json import JsonFormatter

from benchmarks.report import percentile, report
from deskwatch import OrderFilled, Recorder

EVENTS = 100_000
FIELDS: dict[str, Any] = {
    "order_id": "o-12345",
    "venue": "amber",
    "symbol": "WETH/USDC",
    "side": "buy",
    "strategy": "arbitrage",
}
FIGURES: dict[str, Any] = {"quantity": 1.5, "price": 3000.5, "fee": 13.5}


def microseconds(act: Callable[[], None]) -> list[float]:
    """Time of each call."""
    times = []
    for _ in range(EVENTS):
        began = time.perf_counter_ns()
        act()
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def main() -> None:
    """Measure both in turn, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        with Recorder.open("bench", home=folder) as recorder:
            ours = microseconds(
                lambda: recorder.emit(OrderFilled(**FIELDS, **FIGURES, final=True, asset="USDC", fee_asset="USDC"))
            )
        baseline = microseconds(_usual_way(Path(folder)))
    name = "emit p50, microseconds"
    report(name, ours=percentile(ours, 0.5), baseline=percentile(baseline, 0.5), budget=3.5)
    name = "emit p99, microseconds"
    tail = {"p999": percentile(ours, 0.999), "worst": max(ours)}
    report(name, ours=percentile(ours, 0.99), baseline=percentile(baseline, 0.99), budget=10, more=tail)


def _usual_way(folder: Path) -> Callable[[], None]:
    registry = CollectorRegistry()
    labels = ["bot", "strategy", "venue", "symbol", "side"]
    fills = Counter("fills", "Fills.", labels, registry=registry)
    volume = Counter("volume", "Volume.", labels, registry=registry)
    latency = Histogram("latency_seconds", "Latency.", ["bot"], registry=registry)
    logger = logging.getLogger("bench")
    logger.propagate = False
    handler = logging.FileHandler(folder / "bench.log")
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def act() -> None:
        values = ("bench", FIELDS["strategy"], FIELDS["venue"], FIELDS["symbol"], FIELDS["side"])
        fills.labels(*values).inc()
        volume.labels(*values).inc(FIGURES["quantity"] * FIGURES["price"])
        latency.labels("bench").observe(0.2)
        logger.info("order_filled", extra={**FIELDS, **FIGURES, "final": True})

    return act


if __name__ == "__main__":
    main()
