"""Writing the manifests under `deploy/kubernetes/`, and telling whether the committed ones are what the sources say.

Sources are `prometheus/rules/*.yml`, `prometheus/prometheus.yml` and `grafana/dashboards/*.json`: what compose runs is
what Kubernetes runs. What isn't made from them (the kustomization on top, the bot's pod) is written by hand and left
alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deskwatch import generated
from deskwatch.errors import ConfigError
from deskwatch.kubernetes.config_map import config_map
from deskwatch.kubernetes.manifest import kustomization
from deskwatch.kubernetes.prometheus_rule import prometheus_rule
from deskwatch.kubernetes.service_monitor import service_monitor
from deskwatch.kubernetes.settings import GRAFANA_URL, Pace, pace_of

FOLDER = Path("deploy/kubernetes")
RULES = Path("prometheus/rules")
DASHBOARDS = Path("grafana/dashboards")
SERVICE_MONITOR = "servicemonitor.yaml"
KUSTOMIZATION = "kustomization.yaml"


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `kubernetes build` and `kubernetes check` to the command line."""
    kubernetes = commands.add_parser("kubernetes", help="manifests of the rules and dashboards, from their files")
    for action in generated.actions(kubernetes, "manifests"):
        action.add_argument("--root", type=Path, default=Path(), help="the checkout (default: the current folder)")
        action.add_argument("--folder", type=Path, help=f"where the manifests lie (default: ROOT/{FOLDER})")
        action.add_argument(
            "--grafana-url", default=GRAFANA_URL, help="where people reach Grafana: alerts link to it (%(default)s)"
        )
        action.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `kubernetes build` or `kubernetes check`."""
    given = (arguments.root, arguments.folder, arguments.grafana_url)
    return generated.run(arguments.action, lambda: build(*given), lambda: check(*given))


def build(root: Path, folder: Path | None = None, grafana_url: str = GRAFANA_URL) -> list[Path]:
    """Write all manifests that are made from other files, and take away what lost its source.

    Args:
        root: The checkout.
        folder: Where the manifests lie; `deploy/kubernetes` of the checkout if None.
        grafana_url: Where people reach Grafana.

    Returns:
        The files, in order of name.

    Raises:
        ConfigError: A source is missing or can't be read.
    """
    folder = folder or root / FOLDER
    texts = _texts(root, grafana_url)
    for name in _foreign(folder, texts):
        (folder / name).unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [folder / name for name in texts]


def check(root: Path, folder: Path | None = None, grafana_url: str = GRAFANA_URL) -> list[str]:
    """What differs between the manifests and their sources, a sentence each; empty if nothing does.

    Raises:
        ConfigError: A source is missing or can't be read.
    """
    folder = folder or root / FOLDER
    texts = _texts(root, grafana_url)
    command = "deskwatch kubernetes build"
    expected = {folder / name: text for name, text in texts.items()}
    return generated.drift(expected, source="its source", command=command) + [
        f"{folder / name} is made from nothing; run: {command}" for name in _foreign(folder, texts)
    ]


def _texts(root: Path, grafana_url: str) -> dict[str, str]:
    """Path below the manifests' folder → text, in order of name."""
    pace = pace_of(root / "prometheus" / "prometheus.yml")
    texts = {SERVICE_MONITOR: service_monitor(pace)}
    texts |= _rules(root, pace, grafana_url)
    texts |= _dashboards(root)
    return dict(sorted(texts.items()))


def _rules(root: Path, pace: Pace, grafana_url: str) -> dict[str, str]:
    texts = {
        f"{path.stem}.yaml": prometheus_rule(path.stem, path.read_text(), pace, grafana_url)
        for path in _sources(root / RULES, "*.yml")
    }
    return _folder("rules", texts)


def _dashboards(root: Path) -> dict[str, str]:
    texts = {
        f"{path.stem}.yaml": config_map(path.stem, path.read_text()) for path in _sources(root / DASHBOARDS, "*.json")
    }
    return _folder("dashboards", texts)


def _folder(name: str, texts: dict[str, str]) -> dict[str, str]:
    """The same texts below a folder, with a kustomization that lists them."""
    return {f"{name}/{file}": text for file, text in {**texts, KUSTOMIZATION: kustomization(sorted(texts))}.items()}


def _sources(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ConfigError(f"expected {pattern} in {folder}; run from the root of a checkout, or give --root")
    return found


def _foreign(folder: Path, texts: dict[str, str]) -> list[str]:
    """Files in the folders that hold nothing but what is made, yet were made from nothing that is there."""
    there = {
        str(path.relative_to(folder)) for name in ("rules", "dashboards") for path in (folder / name).glob("*.yaml")
    }
    return sorted(there - texts.keys())
