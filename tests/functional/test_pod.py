"""The example pod of deploy/kubernetes/bot, its two containers as two processes of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch.events import BotStopped
from tests import running
from tests.waiting import eventually

FOLDER = running.ROOT / "deploy" / "kubernetes"
POD: dict[str, Any] = yaml.safe_load((FOLDER / "bot" / "statefulset.yaml").read_text())["spec"]["template"]["spec"]
BOT, SIDECAR = POD["containers"]
LISTENING = ("--host=", "--insecure-http")
"""How the pod's sidecar is reached from other pods; here it stays on loopback."""


def test_bot_and_sidecar_meet_on_the_volume_and_the_bot_ends_in_good_order(tmp_path: Path) -> None:
    """What the manifest says is enough: figures with the scrape token, probes without any, a stop that is no crash."""
    environment = {one["name"]: one["value"].replace("/data", str(tmp_path)) for one in BOT["env"]}
    home = Path(environment["DESKWATCH_HOME"])
    (tmp_path / "token").write_text("a-token-of-32-characters-or-more\n")
    flags = [flag for flag in SIDECAR["args"][1:] if not flag.startswith(LISTENING)]
    told = [flag.replace("/scrape", str(tmp_path)) for flag in flags]
    command = [sys.executable, str(FOLDER / "bot" / Path(BOT["command"][1]).name)]
    with (
        running.process(command, tmp_path / "bot.out", env={**os.environ, **environment}) as bot,
        running.sidecar(home, *told) as http,
    ):
        eventually(lambda: http.try_get("/bots/arb-1/snapshot"), 20)
        for probe in ("livenessProbe", "readinessProbe"):
            assert http.request("GET", SIDECAR[probe]["httpGet"]["path"])[0] == 200
        status, _, body = http.request("GET", "/metrics", token=(tmp_path / "token").read_text().strip())
        assert status == 200
        assert 'tradebot_running{bot="arb-1"} 1' in body.decode()

        bot.send_signal(signal.SIGTERM)
        assert bot.wait(60) == 0, (tmp_path / "bot.out").read_text()
        eventually(lambda: 'tradebot_running{bot="arb-1"} 0' in http.metrics())
    assert running.events(home, BotStopped)


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "bot"], ids=lambda folder: str(folder.name))
def test_kustomize_builds_it(folder: Path) -> None:
    """Every object of every file comes out, anchors and templates resolved as the source has them."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs kubectl: not on PATH; tests/unit/kubernetes holds the files' form all the same")
    argv = [kubectl, "kustomize", str(folder)]
    built = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    objects = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(built)}
    below = [path for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml"]
    sources = [yaml.safe_load(path.read_text()) for path in below if folder != FOLDER or path.parent.name != "bot"]
    assert {(one["kind"], one["metadata"]["name"]) for one in sources} <= objects.keys()
    for source in sources:
        made = objects[source["kind"], source["metadata"]["name"]]
        if source["kind"] == "PrometheusRule":
            assert _told(made["spec"]) == _told(source["spec"])
        if source["kind"] == "ConfigMap":
            assert made["data"] == source["data"]


def _told(content: Any) -> Any:  # Any: what YAML can hold
    """The same with each text's blanks and line breaks as one blank.

    Of folded text that has lines further to the right, kustomize 5.5 makes one with a line break too many; to PromQL
    that is the same.
    """
    if isinstance(content, str):
        return " ".join(content.split())
    if isinstance(content, dict):
        return {key: _told(value) for key, value in content.items()}
    return [_told(value) for value in content] if isinstance(content, list) else content
