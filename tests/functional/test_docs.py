"""What README and docs tell a person to type works as written; what can't be run here is listed with the reason."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import running
from tests.waiting import eventually, patience

PAGES = [running.ROOT / "README.md", *sorted((running.ROOT / "docs").rglob("*.md"))]
NOT_RUN = {
    "git clone": "the clone is what this test runs in",
    "make demo": "it is `deskwatch demo` on the default port; test_demo runs that",
    "make bench": "minutes long; its output is figures",
    "docker": "needs a Docker engine; the files are checked by their schema and their servers' own checkers",
    "kubectl": "needs a cluster; tests/unit/kubernetes and tests/functional/test_pod.py hold what it is given",
    "sudo": "changes the machine",
    "deskwatch ctl kill": "needs a bot that the sidecar runs; tests/fault/test_process_control.py kills some",
    "deskwatch doctor evm": "needs a node; tests/functional/test_evm_endpoints.py runs it with a real one",
    "deskwatch watch evm": "needs a node; tests/functional/test_evm_endpoints.py runs it with a real one",
    "deskwatch doctor freqtrade": "needs a freqtrade; test_tutorial_freqtrade.py runs it against a stand-in",
    "deskwatch watch freqtrade": "the same; test_freqtrade.py runs it with a real one",
    "pip install": "changes the environment that the tests run in",
}


def commands(page: Path) -> list[str]:
    """The commands in a page's `sh` blocks, each whole."""
    found: list[str] = []
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        joined = re.sub(r"\\\n\s*", " ", block)
        found += [line for line in joined.splitlines() if line and not line.startswith("#")]
    return found


def snippets() -> list[tuple[str, str]]:
    """Every command of every page that is to be run, with its page."""
    return [
        (str(page.relative_to(running.ROOT)), command)
        for page in PAGES
        for command in commands(page)
        if not command.startswith(tuple(NOT_RUN))
    ]


def test_commands_work_as_written(demo: running.Demo, subtests: pytest.Subtests):
    """Each command ends with 0 beside a running demo, with its port and home in the place of the usual ones."""
    assert snippets()
    for page, command in snippets():
        with subtests.test(page, command=command):
            _run(demo, command)


def _run(demo: running.Demo, command: str) -> None:
    port = running.free_port()
    typed = command.replace("localhost:9464", f"localhost:{demo.port}").replace(".deskwatch/", f"{demo.home}/")
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DESKWATCH_HOME": str(demo.home.parent / f"docs-{port}"),
        "DESKWATCH_URL": f"http://127.0.0.1:{demo.port}",
    }
    if typed.startswith(("deskwatch sidecar", "deskwatch run")):  # these serve until they are stopped
        _serve(typed.split(), running.Http(f"http://127.0.0.1:{port}", demo.home.parent / f"home-{port}"), env)
        return
    typed = re.sub(r"(ten_lines\.py) \d+", r"\1 2", typed)
    done = subprocess.run(
        ["bash", "-c", typed], cwd=running.ROOT, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, (typed, done.stdout, done.stderr)


def _serve(words: list[str], http: running.Http, env: dict[str, str]) -> None:
    """Until it is ready; then Ctrl-C, as a person would."""
    http.home.mkdir(mode=0o700)
    log = http.home.with_suffix(".out")
    flags = ["--home", str(http.home), "--port", http.url.rpartition(":")[2]]
    with running.process([*words[:2], *flags, *words[2:]], log, cwd=running.ROOT, env=env) as server:
        eventually(lambda: server.poll() is not None or http.try_get("/readyz"), 20)
        server.send_signal(signal.SIGINT)
        assert server.wait(20 * patience()) == 0, (words, log.read_text())


def test_readme_shows_the_example_as_it_is():
    """The ten-line bot in the README is the file in examples/."""
    (shown,) = re.findall(r"^```python\n(.*?)^```", (running.ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert shown == (running.ROOT / "examples" / "ten_lines.py").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(running.ROOT)))
def test_links_lead_somewhere(page: Path):
    """Every relative link of a page points at a file that is there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_how_to_is_in_the_index():
    """Whoever looks for a page finds it in the folder's README."""
    folder = running.ROOT / "docs" / "how-to"
    named = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert named == {page.name for page in folder.glob("*.md")} - {"README.md"}
