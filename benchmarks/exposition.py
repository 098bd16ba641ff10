"""`/metrics` with 10,000 series against prometheus-client's `generate_latest` on the same series: milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.report import percentile, report
from deskwatch import exposition
from deskwatch.projections.metrics import Counter, Family, Gauge

SERIES = 10_000
RUNS = 15


def milliseconds(act: Callable[[], object]) -> float:
    """Median time of a call."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)


def main() -> None:
    """Measure both in turn."""
    names = ("bot", "strategy", "venue", "symbol", "side")
    families: list[Family[Any]] = []
    for number in range(10):
        counter = Counter(f"tradebot_orders_{number}", "Orders.", names, max_series=SERIES)
        gauge = Gauge(f"tradebot_price_{number}", "Price.", names, max_series=SERIES)
        for one in range(SERIES // 20):
            key = (f"bot-{one % 10}", "arbitrage", f"venue-{one % 7}", f"SYMBOL-{one}", "buy")
            counter.inc(key, one)
            gauge.set(key, one / 7)
        families += [counter, gauge]
    registry = CollectorRegistry()
    registry.register(exposition.FamilyCollector(families))
    ours = milliseconds(lambda: exposition.render(families))
    baseline = milliseconds(lambda: generate_latest(registry))
    report("scrape of 10,000 series, ms", ours=ours, baseline=baseline, budget=baseline / 8)


if __name__ == "__main__":
    main()
