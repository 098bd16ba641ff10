"""`emit` while what is around it is in trouble: Loki down, slow and fast behind a real sidecar; a disk that is busy."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks import receiver
from benchmarks.report import percentile, report
from benchmarks.timing import microseconds
from deskwatch import Recorder
from tests import running

BURSTS = 15
BURST = 1000
PAUSE_SECONDS = 0.1
BUDGET = 1000
"""Microseconds at the 99th percentile: with a sidecar that reads along, two cores have three who want them."""
BUSY_BYTES = 64 * 1024 * 1024
SLOW_SECONDS = 30.0


def main(emit: Callable[[Recorder], None]) -> None:
    """Measure each surrounding, beside a bot alone in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        alone = _bursts(Path(folder) / "alone", emit)
        _beside_loki("down", Path(folder), emit, alone, f"http://127.0.0.1:{running.free_port()}")
        for name, seconds in (("slow", SLOW_SECONDS), ("fast", 0.0)):
            with receiver.running(seconds) as url:
                _beside_loki(name, Path(folder), emit, alone, url)
        _measure("disk busy", Path(folder) / "busy", emit, alone, lambda home: _busy_disk(home.parent / "ballast"))


def _beside_loki(name: str, folder: Path, emit: Callable[[Recorder], None], alone: list[float], url: str) -> None:
    _measure(f"Loki {name}", folder / name, emit, alone, lambda home: running.sidecar(home, "--loki-url", url))


def _measure(
    name: str,
    home: Path,
    emit: Callable[[Recorder], None],
    alone: list[float],
    around: Callable[[Path], AbstractContextManager[object]],
) -> None:
    home.mkdir(mode=0o700)
    with around(home):
        times = _bursts(home, emit)
    more = {"p50": percentile(times, 0.5), "p999": percentile(times, 0.999), "worst": max(times)}
    report(
        f"emit p99 while {name}, microseconds",
        ours=percentile(times, 0.99),
        baseline=percentile(alone, 0.99),
        budget=BUDGET,
        more=more,
    )


def _bursts(home: Path, emit: Callable[[Recorder], None]) -> list[float]:
    times: list[float] = []
    with Recorder.open("bench", home=home) as recorder:
        for _ in range(BURSTS):
            times += microseconds(lambda: emit(recorder), BURST)
            time.sleep(PAUSE_SECONDS)
    return times


@contextmanager
def _busy_disk(file: Path) -> Iterator[None]:
    """Another process that writes a file and syncs it, over and over, on the same disk."""
    process = multiprocessing.get_context("spawn").Process(target=_keep_busy, args=(file,), daemon=True)
    process.start()
    while not file.exists():
        time.sleep(0.01)
    try:
        yield
    finally:
        process.kill()
        process.join()


def _keep_busy(file: Path) -> None:
    piece = os.urandom(1024 * 1024)
    while True:
        with file.open("wb", buffering=0) as out:
            for _ in range(BUSY_BYTES // len(piece)):
                out.write(piece)
                os.fsync(out.fileno())
