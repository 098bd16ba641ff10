"""Where made rules come from: YAML that people edit, read strictly, and the line that says so in what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError

MADE_BY = "# Made by `deskwatch rules build`"
"""How each made file begins."""


def heading(source: str) -> str:
    """The first line of a file that is made from `source`."""
    return f"{MADE_BY} from {source}; change that, and build again.\n"


def read(path: Path) -> dict[str, Any]:
    """A YAML file's mapping.

    Raises:
        ConfigError: It can't be read, is no YAML, holds no mapping, or says something twice (YAML would take the last).
    """
    import yaml  # noqa: PLC0415 — the extra `stack` has it, and no other command needs it

    try:
        text = path.read_text()
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"expected to read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected YAML in {path}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"expected {path} to hold names and values, was {type(content).__name__}")
    twice = [f"{path}: line {line}: expected {key!r} once; delete one" for key, line in _repeated(root)]
    if twice:
        raise ConfigError("\n".join(twice))
    return content


def _repeated(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that stand in a mapping again, with their lines."""
    if node.id == "mapping":
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _repeated(value)
    elif node.id == "sequence":
        for value in node.value:
            yield from _repeated(value)
