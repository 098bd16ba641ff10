"""The longest time that a scrape holds the sidecar's event loop, in milliseconds, while a client listens to the stream.

The sidecar runs in this process, beside a probe that asks for its turn each millisecond and notes how late it comes. A
second process scrapes (text, OpenMetrics, compressed) and reads the stream. The baseline is the probe's worst without
any scrape, with the same bot at work and the same reader of the stream. `own_work_worst` is the CPU time of the loop's
thread alone: what other processes of the machine take from it is not in that.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvicorn

from benchmarks.report import percentile, report
from deskwatch import PriceObserved, Recorder
from deskwatch.config import Settings
from deskwatch.sidecar import pauses
from deskwatch.sidecar.app import create
from tests import running
from tests.waiting import eventually_async

SIZES = (1_000, 10_000, 100_000)
"""Series, about: three for each symbol."""
SECONDS = 8.0
BUDGET_MS = 10.0
PROBE_SECONDS = 0.001
EVENTS_A_SECOND = 200

SCRAPER = """
import json, sys, threading, time, urllib.request
url, seconds, scrape = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "True"
def listen():
    with urllib.request.urlopen(url + "/stream", timeout=60) as stream:
        for _ in stream:
            pass
threading.Thread(target=listen, daemon=True).start()
wishes = [{"Accept": "text/plain"}, {"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}]
until = time.monotonic() + seconds
times, size = [], 0
while time.monotonic() < until:
    if scrape:
        began = time.perf_counter()
        request = urllib.request.Request(url + "/metrics", headers=wishes[len(times) % 2])
        with urllib.request.urlopen(request, timeout=60) as answer:
            size = max(size, len(answer.read()))
        times.append((time.perf_counter() - began) * 1000)
    time.sleep(0.1)
print(json.dumps({"times": times, "bytes": size}))
"""


async def probe(late: list[float], own: list[float], stop: asyncio.Event) -> None:
    """Note in milliseconds how much longer than asked each short sleep took, and what the loop itself worked in it."""
    while not stop.is_set():
        began, worked = time.perf_counter(), time.thread_time()
        await asyncio.sleep(PROBE_SECONDS)
        own.append((time.thread_time() - worked) * 1000)
        late.append((time.perf_counter() - began - PROBE_SECONDS) * 1000)


async def trade(recorder: Recorder, symbols: int, stop: asyncio.Event) -> None:
    """A bot at work."""
    number = 0
    while not stop.is_set():
        for _ in range(EVENTS_A_SECOND // 20):
            number += 1
            recorder.emit(PriceObserved(venue="v", symbol=f"S-{number % symbols}", price=number / 7))
        await asyncio.sleep(0.05)


async def measure(
    url: str, recorder: Recorder, symbols: int, *, scrape: bool
) -> tuple[list[float], list[float], dict[str, list[float]]]:
    """Lateness of the loop over some seconds, what it worked in between, and what the scraper has to say."""
    late: list[float] = []
    own: list[float] = []
    stop = asyncio.Event()
    beside = [asyncio.create_task(probe(late, own, stop)), asyncio.create_task(trade(recorder, symbols, stop))]
    argv = [sys.executable, "-c", SCRAPER, url, str(SECONDS), str(scrape)]
    child = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE)
    out, _ = await child.communicate()
    stop.set()
    await asyncio.gather(*beside)
    return late, own, json.loads(out)


async def run(size: int, home: Path) -> None:
    """One size: fill the journal, serve it, measure without and with scrapes."""
    symbols = size // 3
    with Recorder.open("bench", home=home) as recorder:
        for number in range(symbols):
            recorder.emit(PriceObserved(venue="v", symbol=f"S-{number}", price=number / 7, change_24h_ratio=0.1))
        port = running.free_port()
        app = create(Settings(home=home, port=port, max_series=size))
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
        serving = asyncio.create_task(server.serve())
        await eventually_async(lambda: server.started and app.state.parts.feed.caught_up.is_set(), 60)
        await pauses.settle(app.state.parts.feed.caught_up)
        url = f"http://127.0.0.1:{port}"
        baseline, _, _ = await measure(url, recorder, symbols, scrape=False)
        ours, own, told = await measure(url, recorder, symbols, scrape=True)
        server.should_exit = True
        await serving
    report(
        f"event loop held by scrapes of {size:,} series, worst, ms",
        ours=max(ours),
        baseline=max(baseline),
        budget=BUDGET_MS,
        more={
            "p99.9": percentile(ours, 0.999),
            "own_work_worst": max(own),
            "scrapes": len(told["times"]),
            "scrape_p50_ms": percentile(told["times"], 0.5),
            "kb": told["bytes"] / 1024,  # type: ignore[operator]  # a number beside the times
        },
    )


def main() -> None:
    """Measure each size."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(size, Path(folder) / "home"))


if __name__ == "__main__":
    main()
