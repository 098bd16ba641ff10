"""`deskwatch.toml`: what to watch, a `[[source]]` block each.

    [[source]]
    kind = "freqtrade"
    bot = "grid-1"
    url = "http://127.0.0.1:8080"
    user = "desk"
    password_file = "freqtrade.password"    # relative to this file

`kind` is a key of `deskwatch.sources.KINDS`; all else is the kind's `Settings`. `bot` is by default the kind's name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.harmless import harmless
from deskwatch.sources import KINDS
from deskwatch.sources.conversion import Misfit, convert
from deskwatch.sources.kinds import Configured, settings_type

MAX_BYTES = 1024 * 1024
"""A larger file is not ours."""


def read(path: Path) -> list[Configured]:
    """The sources that a file asks for.

    Raises:
        ConfigError: It can't be read, or something in it is wrong: every fault, with its block and its field.
    """
    blocks, faults = _blocks(_parsed(path), path)
    found = []
    seen: dict[tuple[str, str], int] = {}
    for number, block in enumerate(blocks, 1):
        try:
            configured = _configured(block, path, number)
        except Misfit as error:
            faults += [f"[[source]] {number}: {fault}" for fault in error.faults]
            continue
        key = (configured.settings.bot, configured.settings.writer)
        if key in seen:
            faults.append(
                f"[[source]] {number}: expected a bot and writer that no other block has, was bot {key[0]}, "
                f"writer {key[1]} of [[source]] {seen[key]}; give one of them another name"
            )
        seen.setdefault(key, number)
        found.append(configured)
    if faults:
        raise ConfigError(f"{path}: " + (faults[0] if len(faults) == 1 else "\n  ".join(["mend these:", *faults])))
    return found


def _parsed(path: Path) -> dict[str, Any]:  # Any: whatever TOML holds
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"expected to read the configuration {path}, but: {error.strerror}; see --config and DESKWATCH_CONFIG"
        ) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"expected a configuration of at most {MAX_BYTES} bytes in {path}, was more; is it another?")
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"expected TOML in {path}, but: {harmless(str(error))}; mend it") from None


def _blocks(whole: dict[str, Any], path: Path) -> tuple[list[Any], list[str]]:
    faults = [
        f"expected [[source]] blocks and nothing else, was {harmless(name)!r}; move it into a block, or take it out"
        for name in whole
        if name != "source"
    ]
    blocks = whole.get("source", [])
    if isinstance(blocks, dict):
        raise ConfigError(f"{path}: expected [[source]] in double brackets, was [source]; double them")
    if not isinstance(blocks, list):
        raise ConfigError(f"{path}: expected [[source]] blocks, was source = …; write each as a block")
    return blocks, faults


def _configured(block: Any, path: Path, number: int) -> Configured:
    if not isinstance(block, dict):
        raise Misfit(["expected a block of settings, was something else; write [[source]] and its settings below"])
    kind = block.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Misfit([_wrong_kind(kind)])
    given = {"bot": kind, **{name: value for name, value in block.items() if name != "kind"}}
    spelled: Callable[[str], str] = str
    try:
        settings = convert(settings_type(kind), given, path.absolute().parent, spelled=spelled)
    except ConfigError as error:  # its library is not there
        raise Misfit([str(error)]) from None
    return Configured(kind, settings, f"{path}, [[source]] {number}")


def _wrong_kind(kind: object) -> str:
    known = ", ".join(KINDS)
    if kind is None:
        return f"kind: expected one of {known}, was not given; say what is to be watched"
    close = get_close_matches(str(kind), KINDS, n=1)
    return f"kind: expected one of {known}, was {harmless(repr(kind))}" + (f"; is {close[0]} meant?" if close else "")
