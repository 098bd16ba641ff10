"""Processes that are told apart by their start, and trees of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from deskwatch.keeper import processes
from tests.waiting import eventually

SLEEP = "import time; print(1, flush=True); time.sleep(60)"
FORKS = (
    "import os, signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "for _ in range(20):\n"
    "    if os.fork() == 0:\n"
    "        if _ % 2: os.setsid()\n"
    "        time.sleep(60)\n"
    "print(1, flush=True)\n"
    "time.sleep(60)\n"
)


@contextmanager
def running(code: str = SLEEP, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **more}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline()
            yield child
        finally:
            child.kill()


def test_an_id_that_another_process_got_is_not_signalled() -> None:
    with running() as child:
        one = processes.of(child.pid)
        assert one.is_there
        for other in (msgspec.structs.replace(one, started=1), msgspec.structs.replace(one, boot="earlier")):
            assert not other.is_there
            assert not processes.send(other, signal.SIGKILL)
        assert child.poll() is None
        assert processes.send(one, signal.SIGTERM)
        assert child.wait(60) == -15
        assert not one.is_there
        assert not processes.send(one, signal.SIGTERM)


def test_a_zombie_is_not_there() -> None:
    with running() as child:
        one = processes.of(child.pid)
        os.kill(child.pid, signal.SIGKILL)
        eventually(lambda: not one.is_there)
        assert processes.of(child.pid) == one


def test_all_that_is_below_a_process_is_killed_and_the_process_itself_is_not() -> None:
    with running(FORKS) as child:
        one = processes.of(child.pid)
        found = processes.below(child.pid)
        assert len(found) == 20
        assert processes.kill_below(one)
        assert not any(process.is_there for process in found)
        assert one.is_there


def test_what_bears_a_mark_is_killed_wherever_it_is() -> None:
    with running(FORKS, DESKWATCH_KEPT="a") as child, running(DESKWATCH_KEPT="ab") as other:
        assert len(processes.marked("DESKWATCH_KEPT", "a")) == 21
        assert processes.kill_marked("DESKWATCH_KEPT", "a")
        assert child.wait(60) == -9
        assert other.poll() is None


def test_nothing_is_below_a_process_that_is_gone() -> None:
    with running() as child:
        one = processes.of(child.pid)
    assert processes.kill_below(one)
    assert not processes.send(one, signal.SIGTERM)
