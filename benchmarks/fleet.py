"""One sidecar with 1, 10, 50 and 100 bots: whether what it costs grows with their number, and no faster.

For start-up, scrape, size, memory and CPU: what 100 bots cost over what 50 do; twice as much is linear, less has a part
that is there without any. Beside it are the figure at each size, and what one more bot costs. Each bot has a process, a
journal of 800 events from before, and emits two events a second while CPU is measured; a scraper comes every five
seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.report import percentile, report
from deskwatch.encoding import encode
from deskwatch.events import BotStarted, DecisionMade, Event, Mode, OrderFilled, OrderSubmitted, PriceObserved
from deskwatch.journal import Writer, names
from tests import running

SIZES = (1, 10, 50, 100)
SECONDS = 15.0
SCRAPE_SECONDS = 5.0
EVENTS_A_SECOND = 2
ROUNDS = 200
REQUESTS = 15
BUDGET = 2.5
"""Twice, and a quarter for what a machine does differently from run to run."""


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    found = [_measure(size, seconds) for size in SIZES]
    for figure in found[0]:
        *_, half, whole = (one[figure] for one in found)
        report(
            f"fleet: {figure}, with 100 bots over with 50",
            ours=whole / half,
            baseline=None,
            budget=BUDGET,
            more={
                **{f"{size} bots": one[figure] for size, one in zip(SIZES, found, strict=True)},
                "per bot": (whole - half) / (SIZES[-1] - SIZES[-2]),
            },
        )


def _measure(size: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        writers = [stack.enter_context(_bot(home, number)) for number in range(size)]
        began = time.perf_counter()
        sidecar = stack.enter_context(running.sidecar(home))
        start = time.perf_counter() - began
        process = next(one for one in psutil.Process().children() if "sidecar" in one.cmdline())
        sidecar.metrics()
        used = process.cpu_times()
        _emit(writers, seconds, sidecar)
        now = process.cpu_times()
        text = sidecar.metrics()
        return {
            "start to ready, s": start,
            "scrape, ms": _milliseconds(sidecar, "/metrics"),
            "scrape, KB": len(text) / 1024,
            "series": sum(not line.startswith("#") for line in text.splitlines()),
            "GET /bots, ms": _milliseconds(sidecar, "/bots"),
            "open descriptors": process.num_fds(),
            "memory, MB": process.memory_info().rss / 1e6,
            "CPU, share of a core": (now.user + now.system - used.user - used.system) / seconds,
        }


def _milliseconds(sidecar: running.Http, path: str) -> float:
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        sidecar.request("GET", path)
        times.append((time.perf_counter() - began) * 1000)
    return percentile(times, 0.5)


@contextlib.contextmanager
def _bot(home: Path, number: int) -> Iterator[Writer]:
    """A bot's process, and its journal with some history."""
    with subprocess.Popen(["sleep", "3600"]) as process:
        writer = Writer(names.writer_folder(home, f"bot-{number}", names.MAIN)).open()
        try:
            writer.append(encode(BotStarted(pid=process.pid, host=socket.gethostname(), mode=Mode.ACTIVE)))
            for event in range(ROUNDS):
                for one in _round(event):
                    writer.append(encode(one))
            yield writer
        finally:
            writer.close()
            process.kill()


def _round(number: int) -> tuple[Event, ...]:
    order_id, venue, symbol = f"o-{number}", f"venue-{number % 2}", f"SYMBOL-{number % 5}"
    return (
        PriceObserved(venue=venue, symbol=symbol, price=3000.0 + number),
        DecisionMade(decision_id=f"d-{number}", action="buy", provider="rules", confidence=0.7, latency_seconds=0.1),
        OrderSubmitted(order_id=order_id, venue=venue, symbol=symbol, side="buy", quantity=1.5),
        OrderFilled(
            order_id=order_id,
            venue=venue,
            symbol=symbol,
            side="buy",
            quantity=1.5,
            price=3000.5,
            final=True,
            asset="USDC",
        ),
    )


def _emit(writers: list[Writer], seconds: float, sidecar: running.Http) -> None:
    """Every bot emits now and then, evenly spread; somebody scrapes."""
    began, sent, scraped = time.monotonic(), 0, 0.0
    while (elapsed := time.monotonic() - began) < seconds:
        while sent < elapsed * EVENTS_A_SECOND * len(writers):
            writers[sent % len(writers)].append(
                encode(PriceObserved(venue="venue-0", symbol="SYMBOL-0", price=3000.0 + sent))
            )
            sent += 1
        if elapsed - scraped >= SCRAPE_SECONDS:
            scraped = elapsed
            sidecar.metrics()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
