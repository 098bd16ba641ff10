"""`emit` against prometheus-client counters + python-json-logger to a file, and against python-logging-loki.

Microseconds for one event, its making included, from one thread and from eight; then while Loki or the disk is in
trouble.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import receiver, surroundings
from benchmarks.report import percentile, report
from benchmarks.timing import best, from_threads, microseconds
from benchmarks.usual import counters_and_json, logging_to_loki
from deskwatch import OrderFilled, Recorder

EVENTS = 50_000
POSTS = 400
RUNS = 3
THREADS = 8
P50, P99, SHARE = 3.5, 10.0, 0.25
"""DESIGN's budgets: microseconds of one thread, and the most of what counters and JSON logging take in the same run."""


def fill(recorder: Recorder) -> None:
    """Journal a fill."""
    recorder.emit(
        OrderFilled(
            order_id="o-12345",
            venue="amber",
            symbol="WETH/USDC",
            side="buy",
            strategy="arbitrage",
            quantity=1.5,
            price=3000.5,
            fee=13.5,
            final=True,
            asset="USDC",
            fee_asset="USDC",
        )
    )


def main() -> None:
    """Measure all in turn, in one process."""
    with tempfile.TemporaryDirectory() as folder, Recorder.open("bench", home=Path(folder) / "home") as recorder:

        def ours() -> None:
            fill(recorder)

        usual = counters_and_json(Path(folder))
        emitted = best(lambda: microseconds(ours, EVENTS), RUNS)
        counted = best(lambda: microseconds(usual, EVENTS // 2), RUNS)
        _report("emit p50", emitted, counted, 0.5, P50)
        _report("emit p99", emitted, counted, 0.99, P99)
        share = percentile(emitted, 0.5) / percentile(counted, 0.5)
        report("emit p50 as a share of counters + JSON logging", ours=share, baseline=1.0, budget=SHARE)
        emitted = from_threads(ours, EVENTS, THREADS)
        counted = from_threads(usual, EVENTS // 4, THREADS)
        _report("emit p50, eight threads", emitted, counted, 0.5, percentile(counted, 0.5))
        with receiver.running(0.0) as url:
            _against_loki(ours, logging_to_loki(url))
    surroundings.main(fill)


def _against_loki(ours: Callable[[], None], posted: Callable[[], None]) -> None:
    for threads, name in ((1, "one thread"), (THREADS, "eight threads")):
        theirs = from_threads(posted, POSTS, threads)
        budget = percentile(theirs, 0.5) / 4
        _report(
            f"emit p50 against python-logging-loki, {name}", from_threads(ours, 20_000, threads), theirs, 0.5, budget
        )


def _report(name: str, ours: list[float], baseline: list[float], share: float, budget: float) -> None:
    more = {}
    for who, times in (("ours", ours), ("baseline", baseline)):
        for label, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
            more[f"{who}_{label}"] = percentile(times, part)
        more[f"{who}_worst"] = max(times)
    report(
        f"{name}, microseconds",
        ours=percentile(ours, share),
        baseline=percentile(baseline, share),
        budget=round(budget, 4),
        more=more,
    )


if __name__ == "__main__":
    main()
