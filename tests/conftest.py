"""Fixtures that most tests use."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # its imports are of use to few
    from collections.abc import Iterator

    from tests.endurance.run import Endurance

# A forked child is not measured: another thread may have held the lock of what measures coverage. Registered before
# anything of deskwatch is imported, whose own work after a fork would be measured otherwise.
os.register_at_fork(after_in_child=partial(sys.settrace, None))

# CI judges a change by examples that stay the same, so that its verdict is the change's; everybody else draws new ones.
settings.register_profile("deskwatch", deadline=None, max_examples=50, database=None, derandomize="CI" in os.environ)
settings.load_profile("deskwatch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The run that lasts for minutes is judged last: the other tests go on beside it."""
    items.sort(key=_is_endurance)


def _is_endurance(item: pytest.Item) -> bool:
    return item.path.name == "test_endurance.py"


@pytest.fixture(scope="session", autouse=True)
def endurance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endurance | None]:
    """The run, from the first test on, where its test is among those that were asked for."""
    if not any(map(_is_endurance, request.session.items)):
        yield None
        return
    from tests.endurance import run

    with run.endurance(tmp_path_factory.mktemp("endurance")) as one:
        yield one


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder of all journals."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder
