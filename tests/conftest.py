"""Fixtures that most tests use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("deskwatch", deadline=None, max_examples=50, database=None)
settings.load_profile("deskwatch")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of all journals."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
