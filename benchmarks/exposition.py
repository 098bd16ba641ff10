"""`/metrics` against prometheus-client's `generate_latest` on the same series, in the same run.

For 1,000, 10,000 and 100,000 series, a tenth of them in histograms: a scrape in milliseconds where a tenth of them
changed since the one before it, as at a busy bot, and the first one of all. Then what a scrape of a sidecar does to its
event loop: the longest hold, measured while a client listens to the stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.report import percentile, report
from deskwatch import exposition
from deskwatch.projections.metrics import Counter, Family, Gauge, Histogram, readings
from deskwatch.projections.metrics.guard import Guard

SIZES = (1_000, 10_000, 100_000)
RUNS = 9
CHANGED = 10
"""One of so many series changes between scrapes."""
NAMES = ("bot", "strategy", "venue", "symbol", "side")


def milliseconds(act: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Median time of a call; `before` it something that is not timed."""
    times = []
    for _ in range(RUNS):
        before()
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)


def families_of(series: int) -> list[Family[Any]]:
    """Counters, gauges and histograms with so many series in all, of ten bots."""
    guard = Guard(max_series=series)
    families: list[Family[Any]] = []
    for number in range(10):
        counter = Counter(f"tradebot_orders_{number}", "Orders.", NAMES, guard)
        gauge = Gauge(f"tradebot_price_{number}", "Price.", NAMES, guard)
        histogram = Histogram(f"tradebot_latency_{number}_seconds", "Latency.", NAMES, guard=guard)
        for one in range(series * 9 // 200):
            key = (f"bot-{one % 10}", "arbitrage", f"venue-{one % 7}", f"SYMBOL-{one}", "buy")
            counter.inc(key, one)
            gauge.set(key, one / 7)
        for one in range(series // (100 * (len(histogram.buckets) + 3))):
            histogram.observe((f"bot-{one % 10}", "arbitrage", "venue", f"SYMBOL-{one}", "buy"), one / 700)
        families += [counter, gauge, histogram]
    return families


def trade(families: list[Family[Any]]) -> None:
    """Change one in `CHANGED` of the series."""
    for family in families:
        for labels in list(family.cells)[::CHANGED]:
            if isinstance(family, Counter):
                family.inc(labels)
            elif isinstance(family, Gauge):
                family.set(labels, family.get(labels) * 1.01 + 1)
            elif isinstance(family, Histogram):
                family.observe(labels, 0.3)


def scrape(families: list[Family[Any]]) -> bytes:
    """What the sidecar does, without its breaks."""
    return exposition.render(readings(families, time.time()))


def main() -> None:
    """Measure both in turn."""
    for size in SIZES:
        families = families_of(size)
        registry = CollectorRegistry()
        registry.register(exposition.FamilyCollector(partial(list, families)))
        began = time.perf_counter()
        scrape(families)
        first = (time.perf_counter() - began) * 1000
        ours = milliseconds(partial(scrape, families), partial(trade, families))
        baseline = milliseconds(partial(generate_latest, registry))
        report(f"scrape of {size:,} series, ms", ours=ours, baseline=baseline, budget=baseline / 8)
        report(f"first scrape of {size:,} series, ms", ours=first, baseline=baseline, budget=baseline)


if __name__ == "__main__":
    main()
