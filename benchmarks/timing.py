"""Times of single calls, in microseconds, from one thread or from several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from benchmarks.report import percentile


def microseconds(act: Callable[[], None], calls: int) -> list[float]:
    """Time of each call."""
    clock = time.perf_counter_ns
    times = [0] * calls
    for number in range(calls):
        began = clock()
        act()
        times[number] = clock() - began
    return [one / 1000 for one in times]


def from_threads(act: Callable[[], None], calls: int, threads: int) -> list[float]:
    """Time of each call, of so many threads that call as fast as they can; `calls` in all."""
    found: list[list[float]] = [[] for _ in range(threads)]
    ready = threading.Barrier(threads)

    def work(mine: list[float]) -> None:
        ready.wait()
        mine.extend(microseconds(act, calls // threads))

    at_work = [threading.Thread(target=work, args=(mine,)) for mine in found]
    for thread in at_work:
        thread.start()
    for thread in at_work:
        thread.join()
    return [one for mine in found for one in mine]


def best(measure: Callable[[], list[float]], runs: int) -> list[float]:
    """The run with the least median: what others did on this machine meanwhile is not ours to tell."""
    return min((measure() for _ in range(runs)), key=lambda times: percentile(times, 0.5))
