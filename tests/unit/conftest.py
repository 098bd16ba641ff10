"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Recorder
from deskwatch import background as background_module
from tests.lines import BOT
from tests.unit.recording import Open, Operator, operator


@pytest.fixture
def open_recorder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens recorders on the test's home; all are closed at its end, without waiting long."""
    monkeypatch.setattr(background_module, "SYNC_SECONDS", 0.02)
    opened: list[Recorder] = []

    def open_one(bot: str = BOT, **more: Any) -> Recorder:
        one = Recorder.open(bot, **{"home": home, **more})
        opened.append(one)
        return one

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def recorder(open_recorder: Open) -> Recorder:
    """A bot's recorder."""
    return open_recorder()


@pytest.fixture
def control(home: Path) -> Iterator[Operator]:
    """Gives the bot commands."""
    with operator(home) as one:
        yield one
