"""Rules that may change while the bot runs: a JSON file beside its state, read at the start and on `reload_config`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import Path

import msgspec

from arbitrage_bot.config import Rules


class Changeable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The figures that the file may give; the others stay as they were at the start."""

    max_size: float | None = None
    min_profit: float | None = None
    min_probability: float | None = None
    patience_blocks: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What the file said."""

    rules: Rules
    version: str
    """Tells one content of the file from another."""
    changed: list[str]
    """Names of the figures that are others than before."""


def read(path: Path, before: Rules) -> Reloaded:
    """Read the file.

    Args:
        path: The file.
        before: The rules so far.

    Raises:
        OSError: It can't be read.
        ValueError: It is not JSON, or names something else.
    """
    text = path.read_bytes()
    given = msgspec.json.decode(text, type=Changeable)
    rules = replace(before, **msgspec.to_builtins(given))
    changed = [one.name for one in fields(Rules) if getattr(rules, one.name) != getattr(before, one.name)]
    return Reloaded(rules=rules, version=hashlib.blake2s(text, digest_size=6).hexdigest(), changed=changed)
