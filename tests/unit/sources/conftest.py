"""A home for a watched bot."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty one."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
