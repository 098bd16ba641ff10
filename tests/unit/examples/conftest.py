"""Worlds for the tests of the example bot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch import Mode
from tests.unit.examples.world import BRISK, LIVELY, World, make_world


@pytest.fixture(autouse=True)
def _quick_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder's close waits for its background thread, which sleeps this long."""
    monkeypatch.setattr("deskwatch.background.SYNC_SECONDS", 0.02)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of its own for a test that disturbs it."""
    made = make_world(tmp_path, 3, BRISK)
    yield made
    made.recorder.close()


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which the bot has traded for some blocks and is flat again. Only to be looked at.

    Its recorder is closed: its threads would write, sync and open files beside the tests of other files, to the end.
    """
    made = make_world(tmp_path_factory.mktemp("lived"), 5, LIVELY)
    made.market.node.mine()
    made.bot.step()
    trader = made.bot.trader
    assert trader is not None
    held = trader.accounts.holdings()
    made.started = {"base": held.base, "quote": held.quote, "native_wei": held.native_wei}
    for _ in range(55):
        made.block()
    made.recorder.set_mode(Mode.STANDBY, reason="test")
    made.run_until(lambda: not trader.busy and not trader.wallet.pending)
    made.recorder.close()
    return made
