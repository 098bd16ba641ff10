"""Memory of the sidecar while 1,000 events a second come in and Loki is down; MB, every second."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks import empty_app
from benchmarks.report import report
from deskwatch import OrderFilled, PriceObserved, Recorder
from tests import running
from tests.fakes import loki as fake_loki

RATE = 1000
SECONDS = 600.0
BUDGET_MB = 64


def main() -> None:
    """Measure. Baseline: an empty FastAPI app on the same machine; `start` is ours before the first event."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, fake_loki.running() as loki:
        home = Path(folder) / "home"
        loki.down = True
        with Recorder.open("bench", home=home) as recorder, running.sidecar(home, "--loki-url", loki.url) as sidecar:
            process = next(one for one in psutil.Process().children() if "sidecar" in one.cmdline())
            start = most = process.memory_info().rss / 1e6
            began, sent, looked = time.monotonic(), 0, 0.0
            while (elapsed := time.monotonic() - began) < seconds:
                while sent < elapsed * RATE:
                    recorder.emit(_event(sent))
                    sent += 1
                if elapsed - looked >= 1:
                    looked = elapsed
                    most = max(most, process.memory_info().rss / 1e6)
                time.sleep(0.005)
            sidecar.metrics()
            end = process.memory_info().rss / 1e6
    report(
        "sidecar memory with Loki down, MB (baseline: an empty FastAPI app)",
        ours=max(most, end),
        baseline=empty_app.memory_mb(),
        budget=BUDGET_MB,
        more={"start": start, "end": end, "seconds": seconds, "events": sent, "pushes": loki.pushes},
    )


def _event(number: int) -> PriceObserved | OrderFilled:
    if number % 10:
        return PriceObserved(venue="amber", symbol="WETH/USDC", price=3000.0 + number)
    return OrderFilled(
        order_id=f"o-{number}", venue="amber", symbol="WETH/USDC", side="buy", quantity=1, price=2, final=True
    )


if __name__ == "__main__":
    main()
