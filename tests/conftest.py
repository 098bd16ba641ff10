"""Fixtures that most tests use."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

# A forked child is not measured: another thread may have held the lock of what measures coverage. Registered before
# anything of deskwatch is imported, whose own work after a fork would be measured otherwise.
os.register_at_fork(after_in_child=partial(sys.settrace, None))

settings.register_profile("deskwatch", deadline=None, max_examples=50, database=None)
settings.load_profile("deskwatch")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of all journals."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
