"""The shipping process dies by SIGKILL, between Loki's 204 and the cursor's write among other instants."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from deskwatch.encoding import encode
from deskwatch.events import LogRecorded
from deskwatch.sinks.loki import LokiSink
from tests.fakes import loki as fake_loki
from tests.shipping import HOUR, QUICK, event, journaled, owed, quarantined, shipped, write_at, writer
from tests.soak import count
from tests.waiting import eventually, eventually_async

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["deskwatch.sinks.loki", "tests.shipping"])


def ship_forever(home: Path, url: str) -> None:
    """A process that ships, and nothing else."""

    async def run() -> None:
        async with LokiSink(home, url, pace=QUICK):
            await asyncio.Event().wait()

    asyncio.run(run())


async def test_a_killed_shipper_loses_nothing_repeats_nothing_and_quarantines_once(home: Path):
    """Loki ends with each line once after its own de-duplication, and each poison line has one row."""
    dice = random.Random(5)
    with fake_loki.running() as loki, writer(home) as one, writer(home, "arb-2") as other:
        loki.max_line_bytes = 2000
        write_at(one, [time.time() - 200 * HOUR + n for n in range(300)])
        for number in range(count(30, 500)):
            for n in range(dice.randint(1, 200)):
                (one if n % 3 else other).append(encode(event(n)))
            if number % 3 == 0:
                one.append(encode(LogRecorded(message=f"poison {'x' * 2000}", levelname="INFO", name="n")))
            _kill_one(home, loki, dice)
        loki.on_stored = lambda: None
        async with LokiSink(home, loki.url, pace=QUICK) as sink:
            seconds = count(60, 600)  # after many quick kills there is a long backlog, with poison all over it
            await eventually_async(
                lambda: shipped(loki) == owed(home) and sink.backlog_bytes() == 0, seconds, every=seconds / 200
            )
            total = sum(journaled(home).values())
            await eventually_async(lambda: sink.delivered + sink.quarantined == total)
        rows = Counter((row["bot"], row["writer"], row["segment"], row["offset"]) for row in quarantined(home))
        assert sink.quarantined == len(rows) == rows.total() == len(range(0, count(30, 500), 3))
        assert sink.late == len(loki.entries(lane="late")) == 300
        assert loki.refusals["behind"] == 0
        assert loki.repeats > 0  # some died between the 204 and the cursor's write


def _kill_one(home: Path, loki: fake_loki.FakeLoki, dice: random.Random) -> None:
    """Start a shipper and kill it: right after a push was stored (answered or not), or at any instant."""
    stored = threading.Event()
    answer_first = dice.random() < 0.5
    begun = loki.pushes
    wanted = begun + dice.randint(1, 4)

    def on_stored() -> None:
        if loki.pushes >= wanted:
            stored.set()
            if not answer_first:
                killed.wait(5)

    killed = threading.Event()
    loki.on_stored = on_stored
    child = _context.Process(target=ship_forever, args=(home, loki.url), daemon=True)
    child.start()
    assert child.pid is not None
    if dice.random() < 0.6:
        eventually(lambda: loki.pushes > begun or not child.is_alive())  # it takes its time to start
        stored.wait(2.0)
    else:
        eventually(lambda: loki.pushes > wanted - 4 or not child.is_alive())
        time.sleep(dice.random() * 0.05)  # any instant will do: nothing is waited for
    os.kill(child.pid, signal.SIGKILL)
    killed.set()
    child.join(10)
    assert child.exitcode == -signal.SIGKILL
