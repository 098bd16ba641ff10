"""The leash between a command and the process that starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.waiting import eventually

LEASH = [sys.executable, "-m", "deskwatch.leash"]


def test_the_command_takes_the_leashs_place_and_its_status_is_its_own() -> None:
    code = "import os, sys; print(os.getpid()); sys.exit(7)"
    with subprocess.Popen([*LEASH, sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert int(child.stdout.read()) == child.pid
        assert child.wait(60) == 7


def test_a_command_that_is_not_there_is_told_in_a_line() -> None:
    done = subprocess.run([*LEASH, "no-such-command"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 127
    assert done.stderr == "deskwatch: no-such-command can't be run: No such file or directory\n"


def test_the_command_ends_with_the_process_that_started_it() -> None:
    parent_code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'deskwatch.leash', sys.executable, '-c',"
        " 'print(1, flush=True); import time; time.sleep(60)'], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait(60)
        eventually(lambda: not runs(pid))


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
