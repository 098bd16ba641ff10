"""What deskwatch weighs: the bot's import, and the sidecar's memory and CPU at 200 events a second."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks import empty_app
from benchmarks.report import percentile, report
from deskwatch import PriceObserved, Recorder
from tests import running

RATE = 200
SECONDS = 20
_IMPORT = """
import time
def resident(): return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = resident()
began = time.perf_counter()
{statement}
print((time.perf_counter() - began) * 1000, resident() - before)
"""


def imported(statement: str) -> tuple[float, float]:
    """Milliseconds and MB of an import in a fresh interpreter, medians of seven."""
    runs = [
        subprocess.run([sys.executable, "-c", _IMPORT.format(statement=statement)], capture_output=True, check=True)
        for _ in range(7)
    ]
    figures = [tuple(map(float, run.stdout.split())) for run in runs]
    return percentile([one[0] for one in figures], 0.5), percentile([one[1] for one in figures], 0.5)


def main() -> None:
    """Measure."""
    milliseconds, megabytes = imported("import deskwatch")
    usual_ms, usual_mb = imported("import prometheus_client, pythonjsonlogger.json")
    report("import deskwatch, ms", ours=milliseconds, baseline=usual_ms, budget=60)
    report("import deskwatch, MB", ours=megabytes, baseline=usual_mb, budget=12)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with Recorder.open("bench", home=home) as recorder, running.sidecar(home) as sidecar:
            process = next(one for one in psutil.Process().children() if "sidecar" in one.cmdline())
            used, began, sent = process.cpu_times(), time.monotonic(), 0
            while (elapsed := time.monotonic() - began) < SECONDS:
                while sent < elapsed * RATE:
                    recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=3000.0 + sent))
                    sent += 1
                time.sleep(0.002)
            now = process.cpu_times()
            cpu = (now.user + now.system - used.user - used.system) / SECONDS
            sidecar.metrics()
            memory = process.memory_info().rss / 1e6
    report("sidecar CPU at 200 events/s, share of a core", ours=cpu, baseline=None, budget=0.10)
    report(
        "sidecar memory, MB (baseline: an empty FastAPI app)", ours=memory, baseline=empty_app.memory_mb(), budget=64
    )


if __name__ == "__main__":
    main()
