"""The tutorial for freqtrade works as written, beside a stand-in for freqtrade; step 6, the page, was tried by hand.

What is not run: the clone, what is installed, and the servers themselves, whose configuration their own checkers read
(`tests/functional/test_paged.py` lets a real Prometheus and a real Alertmanager page).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running
from tests.servers import require
from tests.unit.sources.freqtrade.stand_in import StandIn
from tests.waiting import eventually

PAGE = running.ROOT / "docs" / "tutorial" / "freqtrade.md"
BESIDE = ("git ", "cd ", "python3 -m venv", ". .venv", "pip ", "prometheus")
"""How what is not run begins."""


def commands() -> list[str]:
    """What a person types, in order."""
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks if not block.startswith("🚨") for line in block.splitlines() if line]
    return [line for line in lines if not line.startswith(BESIDE)]


@pytest.fixture(scope="module")
def freqtrade() -> Iterator[StandIn]:
    """One that has what the tutorial writes into its configuration."""
    with StandIn() as one:
        one.user, one.password = "deskwatch", "a long random one"
        one.open_trade()
        yield one


def test_the_tutorial_works_as_written(freqtrade: StandIn, tmp_path: Path) -> None:
    """Doctor, watch, steering with proof, and the configuration of what pages: each command, from top to bottom."""
    for name in ("alertmanager", "prometheus"):
        (tmp_path / name).symlink_to(running.ROOT / name)
    (tmp_path / "secrets").mkdir()
    port = running.free_port()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DESKWATCH_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DESKWATCH_URL": f"http://127.0.0.1:{port}",
    }

    def run(typed: str) -> str:
        argv = ["bash", "-c", typed]
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (typed, done.stdout, done.stderr)
        return done.stdout

    typed = [line.replace("http://127.0.0.1:8080", freqtrade.url) for line in commands()]
    (watch,) = [line for line in typed if line.startswith("deskwatch watch ")]
    before, after = typed[: typed.index(watch)], typed[typed.index(watch) + 1 :]
    told = [run(line) for line in before]
    assert "✗" not in told[-1]
    argv = [*shlex.split(watch), "--port", str(port)]
    with running.process(argv, tmp_path / "watch.out", cwd=tmp_path, env=env):
        eventually(lambda: "active" in run("deskwatch ctl status --json || true"), 20, every=0.2)
        states = []
        for line in after:
            run(line)
            states.append(freqtrade.state)
    assert [state for state, line in zip(states, after, strict=True) if " ctl standby " in line] == ["paused"]
    assert [state for state, line in zip(states, after, strict=True) if " ctl active " in line] == ["running"]
    (config,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "prometheus-local.yml").write_text(config)
    require("promtool")
    assert "rule files found" in run("promtool check config prometheus-local.yml")
    require("prometheus-alertmanager")
    assert "SUCCESS" in run("amtool check-config .deskwatch/stack/alertmanager/alertmanager.yml")
