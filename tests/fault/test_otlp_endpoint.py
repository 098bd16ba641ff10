"""An OTLP endpoint that is away, slow or answers wrongly, and a sender that is killed: all of it arrives."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from deskwatch.encoding import encode
from deskwatch.journal import Writer
from tests.fakes import otlp as fake_otlp
from tests.fakes.otlp import Answer, FakeOtlp
from tests.sending import check_lives, life, named, quarantined, shipped, sinks
from tests.shipping import journaled, writer
from tests.soak import count
from tests.waiting import eventually, eventually_async

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["deskwatch.sinks.otlp.start", "tests.sending"])
ANSWERS = [
    Answer(status=503, code="UNAVAILABLE"),
    Answer(status=429, code="RESOURCE_EXHAUSTED", headers={"Retry-After": "0.01"}, retry_seconds=0.01),
    Answer(status=500, code="INTERNAL"),
    Answer(status=502, code="UNKNOWN", words="<html>proxy</html>"),
    Answer(status=404, code="UNIMPLEMENTED"),
    Answer(status=0, code="CANCELLED"),
    Answer(status=200, body=(b"<html>", "text/html"), code="UNAUTHENTICATED"),
    Answer(status=200, seconds=0.5, code="OK"),
    Answer(status=503, stores=True, code="UNAVAILABLE"),
]
"""None of them says that the content is bad."""


def write_lives(one: Writer, first: int, last: int) -> None:
    """Lives that overlap, as a bot with several orders at a time has them."""
    for start in range(first, last, 5):
        lives = [life(number) for number in range(start, min(start + 5, last))]
        for step in range(8):
            for each in lives:
                one.append(encode(each[step]))


@pytest.mark.parametrize("run", [fake_otlp.running, fake_otlp.running_grpc], ids=["http", "grpc"])
async def test_whatever_the_endpoint_answers_all_lines_and_whole_traces_arrive(run: object, home: Path) -> None:
    assert callable(run)
    dice = random.Random(7)
    lives = count(150, 3000)
    with run() as otlp, writer(home) as one:
        async with sinks(home, otlp, OTEL_EXPORTER_OTLP_TIMEOUT="200") as both:
            for first in range(0, lives, 10):
                otlp.answers.extend(dice.choices(ANSWERS, k=dice.randint(0, 3)))
                await asyncio.to_thread(write_lives, one, first, first + 10)
            await eventually_async(lambda: _is_done(otlp, home) and not otlp.answers, count(60, 600))
            await eventually_async(lambda: named(both, "logs").delivered == lives * 8, 20)
            await eventually_async(lambda: named(both, "traces").delivered == lives * 4, 20)
            assert named(both, "logs").failures.total() > 0
        assert shipped(otlp).keys() == journaled(home).keys()
        check_lives(otlp.spans, lives)
        assert quarantined(home) == quarantined(home, "traces") == []


def _is_done(otlp: FakeOtlp, home: Path) -> bool:
    return shipped(otlp).keys() == journaled(home).keys() and len({span.id for span in otlp.spans}) * 2 == len(
        journaled(home)
    )


def send_forever(home: Path, url: str) -> None:
    """A process that sends, and nothing else."""
    otlp = FakeOtlp()
    otlp.url = url

    async def run() -> None:
        async with sinks(home, otlp):
            await asyncio.Event().wait()

    asyncio.run(run())


async def test_a_killed_sender_loses_nothing_and_doubles_its_last_batch_at_most(home: Path) -> None:
    """Before, between and after the endpoint's yes and the cursor's write."""
    dice = random.Random(11)
    kills = count(15, 300)
    with fake_otlp.running() as otlp, writer(home) as one:
        known: set[str] = set()
        last: set[str] = set()
        seen = 0
        for number in range(kills):
            write_lives(one, number * 10, number * 10 + 10)
            _kill_one(home, otlp, dice)
            with otlp.lock:
                now = [log.body for log in otlp.logs]
                batch = otlp.batches[-1] if otlp.batches else 0
            assert known & set(now[seen:]) <= last
            known, last, seen = set(now), set(now[-batch:]) if batch else set(), len(now)
        otlp.on_stored = lambda: None
        async with sinks(home, otlp) as both:
            await eventually_async(lambda: _is_done(otlp, home), count(30, 300))
            await eventually_async(lambda: both.sinks[0].backlog_bytes() == both.sinks[1].backlog_bytes() == 0)
        assert known & {log.body for log in otlp.logs[seen:]} <= last
        assert shipped(otlp).keys() == journaled(home).keys()
        assert max(shipped(otlp).values()) > 1  # some died between the yes and the cursor's write
        check_lives(otlp.spans, kills * 10)
        assert quarantined(home) == quarantined(home, "traces") == []


def _kill_one(home: Path, otlp: FakeOtlp, dice: random.Random) -> None:
    """Start a sender and kill it: right after something was stored (answered or not), or at any instant."""
    stored, killed = threading.Event(), threading.Event()
    answer_first = dice.random() < 0.5
    begun = sum(otlp.requests.values())
    wanted = begun + dice.randint(1, 3)

    def on_stored() -> None:
        if sum(otlp.requests.values()) >= wanted:
            stored.set()
            if not answer_first:
                killed.wait(5)

    otlp.on_stored = on_stored
    child = _context.Process(target=send_forever, args=(home, otlp.url), daemon=True)
    child.start()
    assert child.pid is not None
    if dice.random() < 0.6:
        eventually(lambda: sum(otlp.requests.values()) > begun or not child.is_alive())  # it takes its time to start
        stored.wait(1.0)
    else:
        eventually(lambda: sum(otlp.requests.values()) > wanted - 3 or not child.is_alive())
        time.sleep(dice.random() * 0.03)  # any instant will do: nothing is waited for
    assert child.is_alive(), child.exitcode
    os.kill(child.pid, signal.SIGKILL)
    killed.set()
    child.join(10)
    assert child.exitcode == -signal.SIGKILL
