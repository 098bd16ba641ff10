"""However the demo ends, no process of it is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deskwatch.events import BotStopped
from tests import running
from tests.waiting import eventually, patience


def _left(home: Path) -> list[str]:
    """Command lines of living processes that name a home."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if str(home) in " ".join(words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def test_it_stops_by_itself_when_told_how_long(tmp_path: Path):
    """`--seconds` ends it in good order: status 0, the bot's last word journaled, nothing running."""
    home = tmp_path / "home"
    argv = [sys.executable, "-m", "deskwatch", "demo", "--home", str(home), "--port", str(running.free_port())]
    seconds = 14 * patience()
    argv += ["--seconds", str(seconds)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90 + 2 * seconds, check=False)
    assert done.returncode == 0, done.stderr
    assert "http://127.0.0.1:" in done.stdout
    assert done.stdout.count("curl ") == 3
    assert [event.reason for event in running.events(home, BotStopped)] == ["closed"]
    assert _left(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_takes_its_processes_with_it(tmp_path: Path, number: signal.Signals):
    """Ctrl-C, SIGTERM and even SIGKILL of the launcher end chain, sidecar and bot."""
    with running.demo(tmp_path) as demo:
        assert len(_left(demo.home)) >= 4
        demo.child.send_signal(number)
        status = demo.child.wait(40 * patience())
        assert status == (-number if number is signal.SIGKILL else 0)
        eventually(lambda: not _left(demo.home), 30)


def test_a_taken_port_is_told_plainly(tmp_path: Path):
    """Where another listens, the demo says so in words and ends with a failure."""
    with running.sidecar(tmp_path / "other") as other:
        port = other.url.rpartition(":")[2]
        argv = [sys.executable, "-m", "deskwatch", "demo", "--home", str(tmp_path / "home"), "--port", port]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2
    assert "choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("same_port", [True, False])
def test_a_second_demo_on_a_home_is_refused_and_leaves_the_first_alone(tmp_path: Path, same_port: bool):
    """It says why, and the first one's chain file stays, which its bot reads when it is started again."""
    with running.demo(tmp_path) as demo:
        before = demo.deployment()
        port = str(demo.port if same_port else running.free_port())
        argv = [sys.executable, "-m", "deskwatch", "demo", "--home", str(demo.home), "--port", port, "--seed", "2"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 2
        assert "choose another" in done.stderr
        assert demo.deployment() == before
        assert demo.bot()["running"]
