"""Shipping to Loki, events a second from the journal to the last 204: the fake in another process, and a real one.

Baseline: a request for each line, as logging handlers do it. What Loki then holds is read back and compared by line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import urllib3

from benchmarks.report import report
from deskwatch.encoding import encode
from deskwatch.events import DecisionMade, Event, OrderFilled, OrderSubmitted, PriceObserved
from deskwatch.journal import Writer, names
from deskwatch.sinks.loki import LokiSink
from tests.fakes import loki as fake_loki
from tests.functional.loki_servers import Loki, running_real

EVENTS = 200_000
BUDGET = 40_000
"""Into a real Loki."""
FAKE_BUDGET = 30_000
"""The fake is written in Python, and is slower at times."""
BASELINE_EVENTS = 300
BOT = "bench"


def event(number: int) -> Event:
    """Events of a bot that trades; ids and figures differ, as they do."""
    order: dict[str, Any] = {
        "order_id": f"o-{number:x}",
        "venue": "amber",
        "symbol": "WETH/USDC",
        "strategy": "arbitrage",
    }
    match number % 4:
        case 0:
            return PriceObserved(venue="amber", symbol="WETH/USDC", price=3000 + number / 7)
        case 1:
            return DecisionMade(
                decision_id=f"d-{number:x}", action="buy", provider="rules", confidence=number % 97 / 97
            )
        case 2:
            return OrderSubmitted(**order, side="buy", quantity=number / 13)
    return OrderFilled(**order, side="buy", quantity=number / 13, price=3000 + number / 7, final=True, asset="USDC")


def write(home: Path, count: int) -> Counter[str]:
    """Fill a journal; its lines."""
    writer = Writer(names.writer_folder(home, BOT, "main")).open()
    for number in range(count):
        writer.append(encode(event(number)))
    writer.close()
    files = sorted(names.writer_folder(home, BOT, "main").glob("*.ndjson"))
    return Counter(line for file in files for line in file.read_text().splitlines())


def ship(home: Path, url: str, count: int) -> float:
    """Seconds until the sink has delivered everything."""

    async def run() -> float:
        began = time.perf_counter()
        async with LokiSink(home, url) as sink:
            cursor = sink._cursor  # noqa: SLF001  its count, and not the one that is written down a second later
            while cursor.delivered < count:
                await asyncio.sleep(0.005)
                if time.perf_counter() - began > 300:
                    raise TimeoutError(f"{cursor.delivered} of {count} delivered, {dict(sink.failures)}")
        return time.perf_counter() - began

    return asyncio.run(run())


def one_by_one(url: str) -> float:
    """Lines a second with a request for each."""
    pool = urllib3.PoolManager()
    began = time.perf_counter()
    for number in range(BASELINE_EVENTS):
        line = encode(event(number)).decode()
        stream = {"stream": {"service_name": "baseline"}, "values": [[str(time.time_ns()), line]]}
        headers = {"Content-Type": "application/json"}
        answer = pool.request(
            "POST", f"{url}/loki/api/v1/push", body=json.dumps({"streams": [stream]}), headers=headers
        )
        if answer.status != 204:
            raise RuntimeError(f"expected 204, was {answer.status}: {answer.data[:200]!r}")
    return BASELINE_EVENTS / (time.perf_counter() - began)


class _Remote:
    """A fake Loki in another process."""

    def __init__(self, url: str, pipe: Connection) -> None:
        self.url = url
        self._pipe = pipe

    def lines(self, bot: str) -> list[str]:
        """Every line stored for a bot."""
        self._pipe.send(bot)
        found: list[str] = self._pipe.recv()
        return found


def _serve(pipe: Connection) -> None:
    with fake_loki.running() as loki, contextlib.suppress(EOFError):
        pipe.send(loki.url)
        while True:
            pipe.send([line for _, line in loki.entries(bot=pipe.recv())])


@contextlib.contextmanager
def remote_fake(_: Path) -> Iterator[Loki]:
    """The fake, in another process."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    child.start()
    theirs.close()
    try:
        yield _Remote(ours.recv(), ours)
    finally:
        child.terminate()
        child.join()


def measure(name: str, loki: Loki, home: Path, count: int) -> None:
    """Ship, read back, report."""
    expected = write(home, count)
    rate = count / ship(home, loki.url, count)
    deadline = time.monotonic() + 60
    while (found := Counter(loki.lines(BOT))).total() < count and time.monotonic() < deadline:
        time.sleep(0.5)
    lost, duplicated = (expected - found).total(), (found - expected).total()
    more: dict[str, float] = {"events": count, "lost": lost, "duplicated": duplicated}
    baseline = one_by_one(loki.url) if name.endswith("real Loki") else None
    budget = BUDGET if baseline else FAKE_BUDGET
    report(f"{name}, events a second", ours=rate, baseline=baseline, budget=budget, most=False, more=more)
    if lost or duplicated:
        raise SystemExit(f"expected every line in Loki once, but {lost} are lost and {duplicated} duplicated")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    arguments = parser.parse_args()
    for name, server in (("shipping to the fake", remote_fake), ("shipping to a real Loki", running_real)):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            try:
                loki = stack.enter_context(server(Path(folder)))
            except pytest.skip.Exception as error:  # no Loki here: the line says so
                print(json.dumps({"name": name, "ours": None, "skipped": str(error)}))
                continue
            home = Path(folder) / "home"
            home.mkdir()
            measure(name, loki, home, arguments.events)


if __name__ == "__main__":
    main()
