"""The contract of sources: the example passes it, and each of its checks finds a source that breaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.sources import KINDS, host
from tests.sources import broken, example
from tests.sources.contract import SourceContract
from tests.sources.example import ExampleRig, ExampleSource
from tests.sources.rig import Rig
from tests.sources.watching import Watching


@pytest.fixture(autouse=True)
def _the_example_is_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "example", "tests.sources.example")


class TestExample(SourceContract):
    """The example source."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        async with ExampleRig() as rig:
            yield rig


@pytest.mark.parametrize(
    ("source", "check"),
    [
        (broken.Forgetful, "a_restart_of_the_watch_tells_nothing_twice"),
        (broken.Blind, "tells_what_happens_once_and_what_happened_before"),
        (broken.Fragile, "a_peer_that_is_slow_or_wrong_is_survived"),
        (broken.Fragile, "a_peer_that_is_away_is_waited_for"),
        (broken.Eager, "a_peer_that_is_away_is_waited_for"),
        (broken.Stubborn, "it_ends_at_once_whatever_its_peer_does"),
        (broken.Careless, "commands_are_begun_only_while_the_peer_can_be_reached"),
        (broken.Speechless, "doctor_says_in_words_what_it_finds_and_changes_nothing"),
    ],
)
async def test_a_source_that_breaks_the_contract_is_found(
    source: type[ExampleSource], check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example, "open_source", source)
    monkeypatch.setattr(host, "STOP_SECONDS", 0.6)
    contract = SourceContract()
    contract.seconds = 0.5
    (tmp_path / "home").mkdir()
    async with ExampleRig() as rig:
        given: dict[str, Any] = {"rig": rig, "watching": Watching(rig, tmp_path / "home")}
        run = getattr(contract, f"test_{check}")
        if "pauses" in run.__code__.co_varnames[: run.__code__.co_argcount]:
            given["pauses"] = contract.noted(monkeypatch)
        with pytest.raises(AssertionError):
            await run(**given)


async def test_a_source_whose_loop_stands_still_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "open_source", broken.Blocking)
    monkeypatch.setattr("tests.sources.contract.patience", lambda: 1.0)  # how busy the machine is must not excuse it
    contract = SourceContract()
    (tmp_path / "home").mkdir()
    turning = contract.turning(monkeypatch)
    next(turning)
    async with ExampleRig() as rig:
        await contract.test_a_peer_that_is_slow_or_wrong_is_survived(rig, Watching(rig, tmp_path / "home"))
    with pytest.raises(AssertionError):
        next(turning)
