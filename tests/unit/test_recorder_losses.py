"""What the recorder says of its losses and of its disk, and what it does while the disk is in trouble."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Recorder
from deskwatch import background as background_module
from deskwatch.events import (
    CommandStarted,
    EventsLost,
    HeartbeatSent,
    LogRecorded,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Writer
from tests.lines import events_in
from tests.unit.recording import Open, Operator
from tests.waiting import eventually

NOTE = LogRecorded(message="m", levelname="INFO", name="n")


def of_class(home: Path, cls: type) -> list[Any]:
    return [event for event in events_in(home) if isinstance(event, cls)]


def refuse(code: int) -> Any:
    def refused(*_: object) -> Any:
        raise OSError(code, os.strerror(code))

    return refused


def test_losses_are_journaled_by_reason_as_soon_as_writing_works_again(
    recorder: Recorder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, times in ((errno.ENOSPC, 3), (errno.EIO, 2)):
        with monkeypatch.context() as refused:
            refused.setattr(os, "write", refuse(code))
            for _ in range(times):
                recorder.emit(NOTE)
    recorder.emit(object())  # type: ignore[arg-type]  # what a bot may do
    eventually(lambda: not recorder._trouble.unreported())
    told: Counter[str] = Counter()
    for event in of_class(home, EventsLost):
        told[event.reason] += event.events
    assert told == {"disk_full": 3, "io_error": 2, "bad_event": 1} == dict(recorder.lost)


def test_losses_are_told_as_increases(recorder: Recorder, home: Path) -> None:
    for times in (1, 2):
        for _ in range(times):
            recorder.emit(object())  # type: ignore[arg-type]  # what a bot may do
        eventually(lambda: not recorder._trouble.unreported())
    assert sum(event.events for event in of_class(home, EventsLost)) == 3
    assert len(of_class(home, EventsLost)) >= 2


def test_losses_are_journaled_at_the_close_at_the_latest(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module.Background, "start", lambda _: None)
    recorder = open_recorder()
    recorder.emit(object())  # type: ignore[arg-type]  # what a bot may do
    assert of_class(home, EventsLost) == []
    recorder.close()
    assert of_class(home, EventsLost) == [EventsLost(events=1, reason="bad_event")]


def test_a_mode_or_a_loss_that_cant_be_journaled_yet_is_no_loss_of_its_own(
    recorder: Recorder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def full(_: int, data: bytes) -> int:
        if b"events_lost" in data:
            tried.set()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as refused:
        refused.setattr(os, "write", full)
        recorder.emit(NOTE)
        recorder.set_mode(Mode.HALTED)
        assert tried.wait(30)
        assert recorder.lost == {"disk_full": 1}
    eventually(lambda: of_class(home, EventsLost) == [EventsLost(events=1, reason="disk_full")])
    assert of_class(home, ModeChanged)[-1].mode is Mode.HALTED


def test_a_durable_event_that_the_disk_does_not_confirm_is_journaled_and_not_lost(
    recorder: Recorder, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(background_module, "HEARTBEAT_SECONDS", 0.05)
    with monkeypatch.context() as refused:
        refused.setattr(os, "fdatasync", refuse(errno.EIO))
        for _ in range(3):
            recorder.emit(NOTE, durable=True)
        assert recorder.lost == {}
    assert events_in(home).count(NOTE) == 3
    assert capfd.readouterr().err.count("not known to be on disk") == 1


def test_heartbeats_tell_the_mode_in_force_and_how_often_the_disk_refused(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module, "HEARTBEAT_SECONDS", 0.02)
    recorder = open_recorder(mode=Mode.CLOSING)
    eventually(lambda: [beat for beat in of_class(home, HeartbeatSent) if beat.mode is Mode.CLOSING])
    recorder.set_mode(Mode.HALTED)
    with monkeypatch.context() as refused:
        refused.setattr(os, "fdatasync", refuse(errno.EIO))
        recorder.emit(NOTE, durable=True)
    eventually(lambda: of_class(home, HeartbeatSent)[-1].sync_failures > 0)
    assert of_class(home, HeartbeatSent)[-1].mode is Mode.HALTED
    assert of_class(home, HeartbeatSent)[-1].sync_failures == recorder._journal.sync_failures


def test_no_heartbeat_tells_an_older_mode_behind_a_newer_one(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart goes by whichever is later: a heartbeat waits while the mode changes, and then tells the new one."""
    monkeypatch.setattr(background_module.Background, "start", lambda _: None)
    recorder = open_recorder(mode=Mode.ACTIVE)
    beating = threading.Thread(target=recorder._beat)
    with recorder._steering.lock:
        beating.start()
        beating.join(0.2)
        assert beating.is_alive()
        recorder.set_mode(Mode.HALTED)
    beating.join(30)
    assert [event.mode for event in events_in(home) if isinstance(event, ModeChanged | HeartbeatSent)][-2:] == [
        Mode.HALTED,
        Mode.HALTED,
    ]


def test_a_disk_that_stalls_within_a_sync_holds_up_no_halt(
    recorder: Recorder, control: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled, go_on, synced = threading.Event(), threading.Event(), threading.Event()
    real = os.fdatasync

    def stall(fd: int) -> None:
        if threading.current_thread().name == "deskwatch-arb-1-sync":
            stalled.set()
            go_on.wait(60)
            synced.set()
        real(fd)

    recorder.set_mode(Mode.ACTIVE)
    monkeypatch.setattr(os, "fdatasync", stall)
    recorder.emit(NOTE)
    assert stalled.wait(30)
    control.ask(Mode.HALTED)
    try:
        eventually(lambda: recorder.mode is Mode.HALTED)
        assert not synced.is_set()
    finally:
        go_on.set()


def test_a_command_whose_start_the_disk_does_not_confirm_waits_and_is_said_once(
    recorder: Recorder, control: Operator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot's loop is not spun meanwhile, and the journal not filled with starts."""
    with monkeypatch.context() as refused:
        given = control.give("close_all")
        refused.setattr(os, "fdatasync", refuse(errno.EIO))
        assert recorder.next_command(timeout_seconds=1.2) is None
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert command.id == given
    assert len(of_class(home, CommandStarted)) == 1
    assert recorder.lost == {}


def test_what_is_emitted_is_on_disk_within_a_second_although_nothing_follows(
    open_recorder: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module, "SYNC_SECONDS", 0.5)
    recorder = open_recorder()
    recorder.emit(NOTE)
    segment = recorder._journal._segment
    assert segment is not None
    eventually(lambda: segment.synced == segment.size, 1.0)


def test_signal_handlers_that_outrun_the_write_lose_nothing_in_silence(home: Path) -> None:
    from deskwatch.journal import writer as writer_module

    with Recorder.open("arb-1", home=home) as recorder:
        journal: Writer = recorder._journal
        journal._writing = True  # as within a write of this thread
        for _ in range(writer_module.MAX_INTERRUPTING + 3):
            recorder.emit(NOTE)
        journal._writing = False
        assert recorder.lost.total() == 3
    assert events_in(home).count(NOTE) == writer_module.MAX_INTERRUPTING
