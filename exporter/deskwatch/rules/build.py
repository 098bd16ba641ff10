"""Building the rules that are made from other files, and telling whether the committed ones are up to date.

Rules themselves are written by hand, in `prometheus/rules/`. Made are only those that say the same of many names: the
thresholds of each bot, the windows of its objectives. `_MADE` is the one list of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deskwatch import atomic, generated
from deskwatch.errors import ConfigError
from deskwatch.rules import burn, slo, thresholds
from deskwatch.rules.origin import MADE_BY

FOLDER = Path("prometheus")
_MADE: dict[str, Callable[[Path], str]] = {
    "thresholds.yml": thresholds.text,
    slo.FILE: slo.text,
    burn.FILE: burn.text,
}
"""File in `rules/` → what makes its text, given the folder; it raises ConfigError with all that is wrong."""


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `rules build` and `rules check` to the command line."""
    rules = commands.add_parser("rules", help="Prometheus rules that are made from thresholds and objectives")
    for action in generated.actions(rules, "rules"):
        action.add_argument("--folder", type=Path, default=FOLDER, help="Prometheus's folder (default: %(default)s)")
        action.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run `rules build` or `rules check`."""
    folder: Path = arguments.folder
    if not (folder / "rules").is_dir():
        raise ConfigError(f"expected a folder at {folder / 'rules'}; run from the root of a checkout, or give --folder")
    return generated.run(arguments.action, lambda: build(folder), lambda: check(folder))


def build(folder: Path) -> list[Path]:
    """Write all made rules below a folder; returns the files, in order of name.

    Raises:
        ConfigError: A source is wrong. All that is wrong is told, and nothing is written.
    """
    written = []
    for path, text in _texts(folder).items():
        atomic.write(path, text.encode(), mode=0o644)  # Prometheus may read at any time, as another user
        written.append(path)
    return written


def check(folder: Path) -> list[str]:
    """What differs between the made rules and their sources, a sentence each; empty if nothing does.

    Raises:
        ConfigError: A source is wrong.
    """
    expected = _texts(folder)
    return generated.drift(expected, source="its source", command="deskwatch rules build") + [
        f"{path} is made by nothing any more; delete it"
        for path in sorted((folder / "rules").glob("*.yml"))
        if path not in expected and path.read_text().startswith(MADE_BY)
    ]


def _texts(folder: Path) -> dict[Path, str]:
    """File → what it is to hold."""
    texts: dict[Path, str] = {}
    faults = []
    for name, make in sorted(_MADE.items()):
        try:
            texts[folder / "rules" / name] = make(folder)
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(dict.fromkeys(faults)))  # two files may have one source
    return texts
