"""A stand-in for freqtrade, settings that fit it, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.sources.freqtrade import exits, pursuit, trader
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.health import Health
from tests.unit.sources.freqtrade.desk import Desk, open_desk
from tests.unit.sources.freqtrade.stand_in import StandIn


@pytest.fixture
def freqtrade() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def password_file(tmp_path: Path, freqtrade: StandIn) -> Path:
    file = tmp_path / "password"
    file.write_text(freqtrade.password + "\n")
    return file


@pytest.fixture
def settings(freqtrade: StandIn, password_file: Path) -> Settings:
    return settings_for(freqtrade, password_file)


def settings_for(freqtrade: StandIn, password_file: Path, **others: Any) -> Settings:
    """Settings that fit it, without a pace that would hold a test up."""
    given: dict[str, Any] = {
        "url": freqtrade.url,
        "user": freqtrade.user,
        "password_file": password_file,
        "requests_per_second": 100.0,
    }
    return Settings(bot="trend", **given | others)


@pytest.fixture
def health() -> Health:
    return Health("trend", "freqtrade")


@pytest.fixture
async def client(settings: Settings, health: Health) -> AsyncIterator[Client]:
    async with Client(settings, health) as one:
        yield one


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as an operator does."""
    monkeypatch.setattr(pursuit, "LEAST_SECONDS", 0.6)
    monkeypatch.setattr(pursuit, "FIRST_SECONDS", 0.02)
    monkeypatch.setattr(trader, "APART_SECONDS", 0.02)
    monkeypatch.setattr(exits, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(exits, "REDUCE_SECONDS", 0.05)


@pytest.fixture
async def desk(tmp_path: Path, settings: Settings, hurried: None) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path / "home", settings) as one:
        yield one
