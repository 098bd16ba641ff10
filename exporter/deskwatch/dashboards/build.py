"""Building the dashboards' JSON, and telling whether the committed files are what the Python says."""

from __future__ import annotations

import argparse
import importlib
import json
import warnings
from pathlib import Path
from typing import Any

from deskwatch import generated
from deskwatch.errors import ConfigError

FOLDER = Path("grafana/dashboards")
DASHBOARDS = {
    "activity": "activity",
    "bot": "bot",
    "chain": "chain",
    "control": "control",
    "decisions": "decisions",
    "execution": "execution",
    "overview": "overview",
    "process": "process",
    "risk": "risk",
    "self": "itself",
    "slo": "slo",
}
"""The dashboards, in order of name: what each is called (in its uid, as its JSON and as its function) and its file."""


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `dashboards build` and `dashboards check` to the command line."""
    dashboards = commands.add_parser("dashboards", help="Grafana's dashboards, from Python")
    for action in generated.actions(dashboards, "dashboards"):
        action.add_argument("--folder", type=Path, default=FOLDER, help="where they lie (default: %(default)s)")
        action.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `dashboards build` or `dashboards check`."""
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise ConfigError(f"expected a folder at {folder}; run from the root of a checkout, or give --folder")
    return generated.run(arguments.action, lambda: build(folder), lambda: check(folder))


def build(folder: Path) -> list[Path]:
    """Write all dashboards to a folder; returns the files, in order of name."""
    written = []
    for name, text in _texts().items():
        path = folder / name
        path.write_text(text)
        written.append(path)
    return written


def check(folder: Path) -> list[str]:
    """What differs between a folder and the Python, a sentence each; empty if nothing does."""
    expected = {folder / name: text for name, text in _texts().items()}
    return generated.drift(expected, source="Python", command="deskwatch dashboards build") + [
        f"{path} is made by no Python; delete it" for path in sorted(folder.glob("*.json")) if path not in expected
    ]


def _texts() -> dict[str, str]:
    """File name → JSON. The SDK is imported here: it belongs to `dev`, and no other command needs it."""
    with warnings.catch_warnings():
        # The SDK advises against the classic form as it is imported; Grafana's file provisioning takes no other.
        warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 — see above

        encoder = JSONEncoder()
        return {f"{name}.json": _text(encoder.encode(_made(file, name))) for name, file in DASHBOARDS.items()}


def _made(file: str, name: str) -> Any:  # Any: the SDK's dashboard
    """What the dashboard's function, which has its name, makes."""
    dashboard = getattr(importlib.import_module(f"deskwatch.dashboards.{file}"), name)().build()
    importlib.import_module("deskwatch.dashboards.marks").spare_states(dashboard)
    return dashboard


def _text(encoded: str) -> str:
    """As it is committed. Without `placement`, by which the SDK hides all links and marks' switches in a menu."""
    plain = json.loads(encoded, object_hook=_shown)
    return json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _shown(node: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    return {key: value for key, value in node.items() if value != "inControlsMenu"}
