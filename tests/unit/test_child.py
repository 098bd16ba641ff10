"""The sidecar as the bot's child."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deskwatch import child as child_module
from deskwatch.child import SidecarChild
from tests.unit.recording import Open


def sleeper(code: str = "import time; time.sleep(60)") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


@pytest.mark.parametrize(
    ("address", "host", "port"), [("127.0.0.1:9464", "127.0.0.1", "9464"), (":0", "127.0.0.1", "0")]
)
def test_the_child_serves_the_bots_home_at_the_address(
    address: str, host: str, port: str, open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def popen(argv: list[str], **_: object) -> subprocess.Popen[bytes]:
        started.append(argv)
        return running

    with sleeper() as running:
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", popen)
            recorder = open_recorder(serve=address)
        (argv,) = started
        assert argv[:4] == [sys.executable, "-m", "deskwatch", "sidecar"]
        assert argv[argv.index("--home") + 1] == str(home)
        assert (argv[argv.index("--host") + 1], argv[argv.index("--port") + 1]) == (host, port)
        assert "--with-parent" in argv
        assert running.poll() is None
        recorder.close()
        assert running.poll() is not None


def test_a_child_that_does_not_start_does_not_stop_the_bot(
    open_recorder: Open, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    recorder = open_recorder(serve=":0")
    assert "the sidecar did not start" in capfd.readouterr().err
    recorder.close()


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.1)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    )
    with sleeper(stubborn) as process:
        assert process.stdout is not None
        process.stdout.readline()
        SidecarChild(process).stop()
        assert process.poll() == -9


def test_stopping_a_child_that_ended_is_fine() -> None:
    with sleeper("pass") as process:
        process.wait(60)
        SidecarChild(process).stop()
    SidecarChild(None).stop()
