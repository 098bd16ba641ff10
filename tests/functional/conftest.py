"""The demo, started once for the tests that only look at it or steer it and put it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Demo]:
    """A running demo that trades."""
    with running.demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    return tmp_path / "home"
