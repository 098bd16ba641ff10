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

# CI judges a change by examples that stay the same, so that its verdict is the change's; everybody else draws new ones.
settings.register_profile("deskwatch", deadline=None, max_examples=50, database=None, derandomize="CI" in os.environ)
settings.load_profile("deskwatch")


LONG = (
    "test_endurance.py",
    "test_freqtrade.py",
    "test_chain_is_the_judge.py",
    "test_model_beats_the_base_rate.py",
    "test_sidecar_killed.py",
    "test_demo.py",
    "test_dashboards.py",
    "test_paged.py",
    "test_page_demo.py",
    "test_docs.py",
)
"""Files that take longest, longest first but for the fifth: it waits behind the first, which takes three minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that the others go on beside it and no worker is left with it at the end."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of all journals."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
