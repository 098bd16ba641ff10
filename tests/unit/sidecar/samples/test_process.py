"""Figures of processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from deskwatch.projections.metrics import Family
from deskwatch.projections.state import BotState
from deskwatch.projections.watch import Watch
from deskwatch.sidecar.samples import BotProcesses, SidecarProcess

HOST = socket.gethostname()
KEY = ("arb-1",)


def bot(pid: int | None, *, host: str = HOST, started: float | None = None) -> BotState:
    return BotState(bot="arb-1", pid=pid, host=host, started=started)


def read(*bots: BotState) -> dict[str, Family[Any]]:
    return {family.name: family for family in BotProcesses(lambda: list(bots)).read()}


def test_a_bots_process_is_read() -> None:
    found = read(bot(os.getpid(), started=time.time()))
    process = psutil.Process()
    assert found["tradebot_process_up"].series == {KEY: 1}
    assert found["tradebot_process_cpu_seconds"].series[KEY] > 0
    assert found["tradebot_process_resident_memory_bytes"].series[KEY] > 1e6
    assert found["tradebot_process_threads"].series[KEY] >= 1
    assert found["tradebot_process_start_time_seconds"].series == {KEY: process.create_time()}
    assert 2 < found["tradebot_process_open_fds"].series[KEY] < found["tradebot_process_max_fds"].series[KEY]
    assert found["tradebot_process_disk_read_bytes"].series[KEY] >= 0
    assert found["tradebot_process_disk_written_bytes"].series[KEY] >= 0
    switches = found["tradebot_process_context_switches"].series
    assert set(switches) == {(*KEY, "voluntary"), (*KEY, "involuntary")}
    assert sum(switches.values()) > 0


def test_what_a_process_spent_on_its_children_is_not_its_own() -> None:
    before = read(bot(os.getpid()))["tradebot_process_cpu_seconds"].series[KEY]
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], check=True)
    after = read(bot(os.getpid()))["tradebot_process_cpu_seconds"].series[KEY]
    assert sum(psutil.Process().cpu_times()[2:4]) >= 0.4
    assert after - before < 0.3


@pytest.mark.parametrize(
    "state",
    [bot(None), bot(os.getpid(), host="elsewhere")],
    ids=["no pid", "another host"],
)
def test_what_this_host_cant_see_is_left_out(state: BotState) -> None:
    assert read(state)["tradebot_process_up"].series == {}


@pytest.mark.parametrize("pid", [-1, 0, 2**22 + 1, 2**62, 2**80])
def test_a_pid_that_is_no_process_is_down(pid: int) -> None:
    found = read(bot(pid))
    assert found["tradebot_process_up"].series == {KEY: 0}
    assert found["tradebot_process_cpu_seconds"].series == {}


def test_a_process_that_ended_is_down() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        state = bot(child.pid, started=time.time())
        processes = BotProcesses(lambda: [state])
        up = processes.read()[0]
        assert up.series == {KEY: 1}
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.read()[0].series == {KEY: 0}, "a zombie is no process"
    assert processes.read()[0].series == {KEY: 0}


def test_a_bot_that_was_started_again_is_read_by_its_new_pid() -> None:
    states = [bot(os.getppid())]
    processes = BotProcesses(lambda: states)
    processes.read()
    states[:] = [bot(os.getpid())]
    found = {family.name: family for family in processes.read()}
    assert found["tradebot_process_start_time_seconds"].series == {KEY: psutil.Process().create_time()}


def test_a_pid_that_is_another_process_by_now_is_down() -> None:
    started = psutil.Process().create_time() - 3600
    assert read(bot(os.getpid(), started=started))["tradebot_process_up"].series == {KEY: 0}


def test_what_a_system_does_not_tell_of_a_process_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: psutil.Process) -> int:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "num_fds", refuse)
    monkeypatch.setattr(psutil.Process, "io_counters", refuse)
    monkeypatch.delattr(psutil.Process, "rlimit")
    found = read(bot(os.getpid()))
    for name in ("open_fds", "max_fds", "disk_read_bytes", "disk_written_bytes"):
        assert found[f"tradebot_process_{name}"].series == {}
    assert found["tradebot_process_threads"].series[KEY] >= 1


def test_a_process_that_ends_while_it_is_read_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: psutil.Process) -> int:
        raise psutil.NoSuchProcess(self.pid)

    monkeypatch.setattr(psutil.Process, "num_threads", gone)
    found = read(bot(os.getpid()))
    assert found["tradebot_process_threads"].series == {}


def test_the_sidecars_own_process_is_read_without_a_label() -> None:
    found = {family.name: family for family in SidecarProcess().read()}
    assert found["deskwatch_process_resident_memory_bytes"].series[()] > 1e6
    assert found["deskwatch_process_start_time_seconds"].series == {(): psutil.Process().create_time()}


def test_a_bot_that_is_watched_from_this_very_host_but_whose_pid_is_not_known_is_not_down() -> None:
    watched = bot(0)
    watched.watches["main"] = Watch(source="freqtrade", peer="http://h:8080", since=1.0)
    assert read(watched)["tradebot_process_up"].series == {}
