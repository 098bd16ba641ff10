"""From `emit` to a WebSocket client, in milliseconds: 50 clients, 5 of them frozen, 1,000 events a second.

Baseline: a plain FastAPI broadcast loop, which is given the same events and 50 clients that all read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import percentile, report
from deskwatch import EquityObserved, LogRecorded, Mode, PositionOpened, PriceObserved, Recorder
from deskwatch.encoding import encode
from deskwatch.journal.line import frame
from tests import running
from tests.waiting import eventually

CLIENTS = 50
FROZEN = 5
EVENTS_A_SECOND = 1000
SECONDS = 12.0
SETTLE_SECONDS = 15.0
"""How long the clients may take, after the last event, to have all."""
MESSAGE = "x" * 60


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(Path(folder), seconds)
        plain = _plain(seconds)
    report(
        "emit to WebSocket client p99, ms",
        ours=percentile(ours["latencies"], 0.99),
        baseline=percentile(plain["latencies"], 0.99),
        budget=20,
        more={
            "p50": percentile(ours["latencies"], 0.5),
            "worst": max(ours["latencies"]),
            "baseline p50": percentile(plain["latencies"], 0.5),
            "complete clients": ours["complete"],
            "of": CLIENTS - FROZEN,
            "baseline's complete clients": plain["complete"],
            "frames a second and client": ours["frames"] / seconds,
            "KB a second and client": ours["bytes"] / seconds / 1e3,
            "sidecar, share of a core": ours["cpu"] / seconds,
            "baseline, share of a core": plain["cpu"] / seconds,
            "memory before, MB": ours["memory before"],
        },
    )
    report("frozen clients dropped, s", ours=ours["dropped"], baseline=None, budget=3)
    report("sidecar with 50 stream clients, MB", ours=ours["memory"], baseline=None, budget=96)


def _ours(folder: Path, seconds: float) -> dict[str, Any]:
    home = folder / "home"
    with (
        Recorder.open("bench", home=home, mode=Mode.ACTIVE) as recorder,
        running.sidecar(home) as sidecar,
    ):
        _furnish(recorder)
        process = next(one for one in psutil.Process().children() if "sidecar" in one.cmdline())
        before = process.memory_info().rss / 1e6
        port = int(sidecar.url.rpartition(":")[2])
        with _clients(port, FROZEN, seconds) as clients:
            frozen_at = time.monotonic()
            dropped: list[float] = []
            watch = threading.Thread(target=_until_dropped, args=(sidecar, frozen_at, dropped))
            watch.start()
            used = process.cpu_times()
            _emit(lambda number: recorder.emit(_event(number)), seconds)
            now = process.cpu_times()
            told: dict[str, Any] = json.loads(clients.communicate()[0])
            watch.join()
        told["cpu"] = now.user + now.system - used.user - used.system
        told["memory"], told["memory before"] = process.memory_info().rss / 1e6, before
        told["dropped"] = dropped[0]
    return told


def _plain(seconds: float) -> dict[str, Any]:
    port = running.free_port()
    command = [sys.executable, "-m", "benchmarks.broadcast", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        assert server.stdin is not None
        pipe = server.stdin
        http = running.Http(f"http://127.0.0.1:{port}", Path())
        eventually(lambda: http.try_get("/healthz"), 20)

        def emit(number: int) -> None:
            line = frame(encode(_event(number)), ts=time.time_ns(), seq=number, run=b"0123456789abcdef")
            pipe.write(line)
            pipe.flush()

        with _clients(port, 0, seconds) as clients:
            used = psutil.Process(server.pid).cpu_times()
            _emit(emit, seconds)
            now = psutil.Process(server.pid).cpu_times()
            told: dict[str, Any] = json.loads(clients.communicate()[0])
        told["cpu"] = now.user + now.system - used.user - used.system
        server.terminate()
    return told


def _event(number: int) -> LogRecorded:
    return LogRecorded(message=f"{number} {MESSAGE}", levelname="INFO", name="bench")


def _furnish(recorder: Recorder) -> None:
    """A state as a bot has it that trades for a day: a curve, positions, prices."""
    for number in range(240):
        recorder.emit(EquityObserved(equity=1000.0 + number / 7, asset="USDC"))
    for number in range(10):
        recorder.emit(PriceObserved(venue="v", symbol=f"S{number}", price=3000.0 + number))
        recorder.emit(
            PositionOpened(
                position_id=f"p{number}",
                venue="v",
                symbol=f"S{number}",
                side="long",
                quantity=1.0,
                entry_price=3000.0,
                asset="USDC",
            )
        )


@contextlib.contextmanager
def _clients(port: int, frozen: int, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """The clients' process, once all of them are connected."""
    last = int(seconds * EVENTS_A_SECOND)
    told = [port, "/stream", frozen, CLIENTS, last, seconds + SETTLE_SECONDS]
    command = [sys.executable, "-m", "benchmarks.stream_clients", *map(str, told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def _emit(emit: Callable[[int], object], seconds: float) -> None:
    """Events, evenly spread."""
    began = time.monotonic()
    for number in range(1, int(seconds * EVENTS_A_SECOND) + 1):
        pause = began + number / EVENTS_A_SECOND - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        emit(number)


def _until_dropped(sidecar: running.Http, frozen_at: float, dropped: list[float]) -> None:
    def are_gone() -> bool:
        text = sidecar.metrics()
        return f"deskwatch_stream_clients {CLIENTS - FROZEN}" in text

    eventually(are_gone, 30, every=0.1)
    dropped.append(time.monotonic() - frozen_at)


if __name__ == "__main__":
    main()
