"""Files that are made from others and committed: the manners that `dashboards`, `rules` and `kubernetes` share.

`build` writes them. `check` tells what a committed file lacks, in sentences with the way out, and changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any


def actions(parser: Any, what: str) -> Iterable[Any]:  # Any: argparse keeps the type of its subparsers private
    """The parsers of `build` and `check`, added to a command's; `arguments.action` tells them apart.

    Args:
        parser: The command's.
        what: The files, as in "write the `what`".
    """
    choices = parser.add_subparsers(required=True, metavar="ACTION")
    for name, meaning in (
        ("build", f"write the {what}"),
        ("check", f"fail where the {what} are not what their sources say"),
    ):
        action = choices.add_parser(name, help=meaning)
        action.set_defaults(action=name)
        yield action


def run(action: str, build: Callable[[], list[Path]], check: Callable[[], list[str]]) -> int:
    """Do the action: print what was written, or what is wrong; returns the exit status."""
    if action == "build":
        for path in build():
            print(path)
        return 0
    drift = check()
    for line in drift:
        print(f"deskwatch: {line}", file=sys.stderr)
    return 1 if drift else 0


def drift(texts: Mapping[Path, str], *, source: str, command: str) -> list[str]:
    """What is missing or differs, a sentence each.

    Args:
        texts: File → what it is to hold.
        source: What makes them, as in "is not what `source` says".
        command: What to type to make them anew.
    """
    found = []
    for path, text in texts.items():
        if not path.is_file():
            found.append(f"{path} is missing; run: {command}")
        elif path.read_text() != text:
            found.append(f"{path} is not what {source} says; change that, then run: {command}")
    return found
