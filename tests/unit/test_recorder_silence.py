"""A bot whose sidecar is silent."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Recorder
from deskwatch import silence as silence_module
from deskwatch.events import Mode, ModeChanged
from deskwatch.journal.names import BEAT
from deskwatch.silence import Silence
from tests.lines import events_in
from tests.unit.recording import Open, Operator
from tests.waiting import eventually


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(silence_module, "time", self)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def beat(home: Path, at: int) -> None:
    (home / BEAT).touch()
    os.utime(home / BEAT, ns=(at, at))


def changes(home: Path) -> list[Any]:
    return [event for event in events_in(home) if isinstance(event, ModeChanged) and event.previous is not None]


def test_it_lasts_from_the_last_beat_by_the_monotonic_clock(home: Path, clock: Clock) -> None:
    beat(home, 10**18)
    silence = Silence(home, 5.0, Mode.STANDBY)
    clock.now += 4.9
    assert not silence.lasts()
    beat(home, 1)  # the wall clock was set back: it is a beat all the same
    assert not silence.lasts()
    clock.now += 4.9
    assert not silence.lasts()
    clock.now += 0.2
    assert silence.lasts()
    beat(home, 2)
    assert not silence.lasts()


def test_without_any_sidecar_it_lasts_from_the_bots_own_start(home: Path, clock: Clock) -> None:
    silence = Silence(home, 5.0, Mode.STANDBY)
    assert not silence.lasts()
    clock.now += 5
    assert silence.lasts()
    beat(home, 1)
    assert not silence.lasts()


def test_a_bot_drops_to_the_mode_of_its_choosing_at_its_next_read_and_says_why(
    open_recorder: Open, home: Path, clock: Clock
) -> None:
    recorder = open_recorder(mode=Mode.ACTIVE, silence_seconds=30, silence_mode=Mode.HALTED)
    assert recorder.mode is Mode.ACTIVE
    clock.now += 31
    eventually(lambda: recorder._steering.lowering)
    assert changes(home) == []
    eventually(lambda: recorder.mode is Mode.HALTED)
    (change,) = changes(home)
    assert (change.reason, change.actor) == ("the sidecar was silent for 30 s", "bot")


def test_silence_never_raises_a_mode_and_its_end_does_not_either(
    open_recorder: Open, home: Path, clock: Clock, control: Operator
) -> None:
    recorder = open_recorder(mode=Mode.CLOSING, silence_seconds=30)
    clock.now += 31
    looked = recorder._silence
    assert looked is not None
    eventually(looked.lasts)
    recorder._poll()
    assert recorder.mode is Mode.CLOSING
    beat(home, 1)
    eventually(lambda: not looked.lasts())
    recorder._poll()
    assert recorder.mode is Mode.CLOSING
    control.ask(Mode.ACTIVE)
    eventually(lambda: recorder.mode is Mode.ACTIVE)
    clock.now += 31
    eventually(lambda: recorder.mode is Mode.STANDBY)
    assert recorder.set_mode(Mode.ACTIVE) is Mode.ACTIVE
    eventually(lambda: recorder.mode is Mode.STANDBY)  # while it is silent the bot is no riskier for long


def test_waiting_for_a_command_ends_early_when_the_sidecar_is_silent(open_recorder: Open, clock: Clock) -> None:
    recorder = open_recorder(mode=Mode.ACTIVE, silence_seconds=30)
    clock.now += 31
    assert recorder.next_command(timeout_seconds=30) is None
    assert recorder.mode is Mode.STANDBY


async def test_a_bot_that_iterates_over_commands_drops_too(open_recorder: Open, clock: Clock) -> None:
    recorder = open_recorder(mode=Mode.ACTIVE, silence_seconds=30)
    serving = asyncio.create_task(anext(recorder.commands(), None))
    clock.now += 31
    await asyncio.to_thread(eventually, lambda: recorder._steering.mode is Mode.STANDBY)
    recorder.close()
    assert await asyncio.wait_for(serving, 30) is None


def test_a_bot_that_chose_no_limit_keeps_its_mode(recorder: Recorder) -> None:
    assert recorder._silence is None
