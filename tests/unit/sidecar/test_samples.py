"""Figures that are read when asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from deskwatch.projections.metrics import Family
from deskwatch.projections.state import BotState
from deskwatch.sidecar.samples import Samples
from deskwatch.version import __version__

HOST = socket.gethostname()


def bot(pid: int | None, *, host: str = HOST, started: float | None = None) -> BotState:
    return BotState(bot="arb-1", pid=pid, host=host, started=started)


def read(home: Path, *bots: BotState) -> dict[str, Family[Any]]:
    return {family.name: family for family in Samples(home).families(list(bots))}


def test_a_bots_process_is_read(home: Path) -> None:
    found = read(home, bot(os.getpid(), started=time.time()))
    key = ("arb-1",)
    assert found["tradebot_process_up"].series == {key: 1}
    assert found["tradebot_process_cpu_seconds"].series[key] > 0
    assert found["tradebot_process_resident_memory_bytes"].series[key] > 1e6
    assert found["tradebot_process_open_fds"].series[key] > 2
    assert found["tradebot_process_threads"].series[key] >= 1


@pytest.mark.parametrize(
    "state",
    [bot(None), bot(os.getpid(), host="elsewhere")],
    ids=["no pid", "another host"],
)
def test_what_this_host_cant_see_is_left_out(state: BotState, home: Path) -> None:
    assert read(home, state)["tradebot_process_up"].series == {}


@pytest.mark.parametrize("pid", [-1, 0, 2**22 + 1, 2**62])
def test_a_pid_that_is_no_process_is_down(pid: int, home: Path) -> None:
    found = read(home, bot(pid))
    assert found["tradebot_process_up"].series == {("arb-1",): 0}
    assert found["tradebot_process_cpu_seconds"].series == {}


def test_a_process_that_ended_is_down(home: Path) -> None:
    samples = Samples(home)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        state = bot(child.pid, started=time.time())
        up = samples.families([state])[0]
        assert up.series == {("arb-1",): 1}
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert samples.families([state])[0].series == {("arb-1",): 0}, "a zombie is no process"
    assert samples.families([state])[0].series == {("arb-1",): 0}


def test_a_pid_that_is_another_process_by_now_is_down(home: Path) -> None:
    started = psutil.Process().create_time() - 3600
    assert read(home, bot(os.getpid(), started=started))["tradebot_process_up"].series == {("arb-1",): 0}


def test_the_sidecar_and_the_host_are_read(home: Path) -> None:
    found = read(home)
    assert found["deskwatch_build_info"].series == {(__version__,): 1}
    assert found["deskwatch_process_resident_memory_bytes"].series[()] > 1e6
    for name in ("cpus", "load1", "memory_size_bytes", "memory_available_bytes", "disk_size_bytes", "disk_free_bytes"):
        assert found[f"deskwatch_host_{name}"].series[()] >= 0
    assert set(found["deskwatch_host_cpu_seconds"].series) == {("user",), ("system",), ("idle",), ("iowait",)}
    assert found["deskwatch_host_threads"].series[()] > 1
    assert found["deskwatch_host_open_fds"].series[()] > 1


def test_what_the_host_does_not_tell_is_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "read_text", refuse)
    found = read(home)
    assert found["deskwatch_host_threads"].series == {}
    assert found["deskwatch_host_open_fds"].series == {}


def test_a_process_that_ends_while_it_is_read_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: psutil.Process) -> int:
        raise psutil.NoSuchProcess(self.pid)

    monkeypatch.setattr(psutil.Process, "num_threads", gone)
    found = read(home, bot(os.getpid()))
    assert found["tradebot_process_threads"].series == {}
