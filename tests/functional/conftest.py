"""The demo, started once for the tests that only look at it or steer it and put it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import running

if TYPE_CHECKING:  # its imports are of use to few
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Demo]:
    """A running demo that trades."""
    with running.demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    return tmp_path / "home"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    from tests import browsing

    with browsing.chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test on any console error and on any request to another host."""
    from tests import browsing

    with browsing.watched(browser) as one:
        yield one
