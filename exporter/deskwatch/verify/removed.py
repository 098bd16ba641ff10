"""What retention removed from the journals, as it remembers it: the base that the counters stand on."""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec

from deskwatch.journal import Position


class Removed(msgspec.Struct, kw_only=True):
    """The remembered base of a home.

    Attributes:
        positions: By bot and writer: what lies before was removed, and is counted here.
        events: Events removed, by bot, writer and type.
        invalid: Lines removed that were no event, by bot, writer and reason.
    """

    positions: dict[tuple[str, str], Position] = {}
    events: dict[tuple[str, str, str], int] = {}
    invalid: dict[tuple[str, str, str], int] = {}


def load(home: Path) -> Removed:
    """The base of a home; an empty one where nothing was removed, or where this version removes nothing."""
    try:
        base = importlib.import_module("deskwatch.base").load(home)
    except ModuleNotFoundError:
        return Removed()
    return Removed(positions=dict(base.positions), events=dict(base.events), invalid=dict(base.invalid))
