"""Retention as it hits a reader worst: a segment goes just after its folder was listed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deskwatch.journal import names

OLDEST, NEWEST = 0, -1


def after_listing(monkeypatch: pytest.MonkeyPatch, which: int = OLDEST, times: int = 1) -> Callable[[], int]:
    """Remove a segment, the oldest or the newest, after each of the first listings; tells how many went so far."""
    segments = names.segments
    removed: list[int] = []

    def list_and_remove(folder: Path) -> list[int]:
        found = segments(folder)
        if len(found) > 1 and len(removed) < times:
            removed.append(found[which])
            (folder / names.segment_name(found[which])).unlink()
        return found

    monkeypatch.setattr(names, "segments", list_and_remove)
    return lambda: len(removed)
