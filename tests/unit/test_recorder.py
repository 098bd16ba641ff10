"""The recorder's promise: it journals what it is given, and never hurts the bot."""

from __future__ import annotations

import errno
import math
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Recorder
from deskwatch import background as background_module
from deskwatch.errors import ConfigError, EventError, WriterLocked
from deskwatch.events import (
    BotStarted,
    BotStopped,
    EquityObserved,
    HeartbeatSent,
    LogRecorded,
    Mode,
    ModeChanged,
)
from deskwatch.journal import names, read
from tests.descriptors import open_files
from tests.lines import BOT, events_in, lines_in
from tests.unit.recording import Open
from tests.waiting import eventually

NOTE = LogRecorded(message="m", levelname="INFO", name="n")


def equity(value: Any) -> EquityObserved:
    return EquityObserved(equity=value, asset="USDT")


def of_class(home: Path, cls: type) -> list[Any]:
    return [event for event in events_in(home) if isinstance(event, cls)]


def test_a_run_begins_with_its_start_and_mode_and_ends_with_its_stop(open_recorder: Open, home: Path) -> None:
    with open_recorder(version="1.2", strategy="arbitrage") as recorder:
        recorder.emit(NOTE)
    started, mode, *_, stopped = events_in(home)
    assert started == BotStarted(
        pid=os.getpid(), host=socket.gethostname(), mode=Mode.STANDBY, version="1.2", strategy="arbitrage"
    )
    assert mode == ModeChanged(mode=Mode.STANDBY, reason="start", actor="bot")
    assert isinstance(stopped, BotStopped)
    assert stopped.reason == "closed"
    assert (stopped.uptime_seconds or 0) > 0
    assert NOTE in events_in(home)


def test_leaving_by_an_exception_names_it_as_the_reason(open_recorder: Open, home: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_recorder():
        _ = 1 / 0
    assert of_class(home, BotStopped)[-1].reason == "ZeroDivisionError"


def test_an_event_is_on_file_when_emit_returns(recorder: Recorder, home: Path) -> None:
    for value in range(20):
        recorder.emit(equity(value))
        assert of_class(home, EquityObserved)[-1] == equity(value)


def test_all_lines_of_a_run_carry_its_id(open_recorder: Open, home: Path) -> None:
    runs = []
    for _ in range(2):
        with open_recorder() as recorder:
            runs.append(recorder.run)
    seen = [read(line, BOT, "main").run for line in lines_in(home)]
    assert list(dict.fromkeys(seen)) == runs


@pytest.mark.parametrize(
    "event",
    [equity(object()), None, "text", {"type": "x"}, NOTE.__class__],
    ids=["not a number", "None", "a text", "a dict", "a class"],
)
def test_emit_never_raises_for_bad_events_but_counts_them(
    event: Any, recorder: Recorder, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(lines_in(home))
    for _ in range(3):
        recorder.emit(event)
    assert recorder.lost.total() == 3
    assert sum("lost" in line for line in capfd.readouterr().err.splitlines()) == 1
    assert not any(b"log_recorded" in line for line in lines_in(home)[before:])
    recorder.emit(NOTE)
    assert NOTE in events_in(home)


def test_emit_never_raises_on_a_closed_journal(recorder: Recorder, capfd: pytest.CaptureFixture[str]) -> None:
    recorder.close()
    recorder.emit(NOTE)
    recorder.emit(NOTE, durable=True)
    assert recorder.lost == {"closed": 2}
    assert capfd.readouterr().err.count("told once for each reason") == 1


def test_a_full_disk_is_counted_told_once_and_reported_by_the_next_heartbeat(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(background_module, "HEARTBEAT_SECONDS", 0.05)
    recorder = open_recorder()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as refused:
        refused.setattr(os, "write", full)
        for _ in range(5):
            recorder.emit(NOTE)
        assert recorder.lost["disk_full"] >= 5
    eventually(lambda: [beat for beat in of_class(home, HeartbeatSent) if beat.lost_events >= 5])
    assert capfd.readouterr().err.count("No space left on device") == 1


def test_a_home_removed_under_the_bot_does_not_hurt_it(recorder: Recorder, home: Path) -> None:
    for file in sorted(home.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    recorder.emit(NOTE)
    assert recorder.mode is Mode.STANDBY
    recorder.close()


def test_figures_that_are_not_finite_are_counted(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module, "HEARTBEAT_SECONDS", 0.05)
    recorder = open_recorder()
    recorder.emit(equity(math.nan))
    recorder.emit(equity(math.inf))
    recorder.emit(equity(None))
    assert recorder.null_values == 2
    assert [event.equity for event in of_class(home, EquityObserved)] == [None] * 3
    eventually(lambda: [beat for beat in of_class(home, HeartbeatSent) if beat.null_values == 2])


def test_strict_mode_raises_at_once(open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWATCH_STRICT", "1")
    recorder = open_recorder()
    for bad in (equity("1"), equity(math.nan), equity(object())):
        with pytest.raises(EventError):
            recorder.emit(bad)
    recorder.emit(equity(1))
    assert of_class(home, EquityObserved) == [equity(1)]


def test_heartbeats_tell_how_long_the_bots_own_code_did_nothing(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module, "HEARTBEAT_SECONDS", 0.03)
    open_recorder()
    beats = eventually(lambda: len(found := of_class(home, HeartbeatSent)) >= 4 and found)
    assert [beat.uptime_seconds for beat in beats] == sorted(beat.uptime_seconds for beat in beats)
    assert beats[-1].idle_seconds > beats[0].idle_seconds


@pytest.mark.parametrize("touch", ["emit", "mode", "next_command"])
def test_whatever_the_bots_code_does_with_its_recorder_ends_the_idle_time(touch: str, recorder: Recorder) -> None:
    recorder._touched -= 100
    if touch == "emit":
        recorder.emit(NOTE)
    elif touch == "mode":
        assert recorder.mode
    else:
        recorder.next_command()
    eventually(lambda: recorder._touched > recorder._opened)


def test_durable_events_are_on_disk_when_emit_returns(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = threading.Event()
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        real(fd)
        synced.set()

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    recorder.emit(NOTE, durable=True)
    assert synced.is_set()


def test_what_was_emitted_is_put_on_disk_in_the_background(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = threading.Event()
    monkeypatch.setattr(os, "fdatasync", lambda _: synced.set())
    recorder.emit(NOTE)
    assert synced.wait(30)


def test_trouble_in_the_background_is_told_and_survived(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder = open_recorder()
    said = []

    def stuck(_: int) -> None:
        said.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as refused:
        refused.setattr(os, "fdatasync", stuck)
        recorder.emit(NOTE)
        eventually(lambda: said)
        recorder.emit(NOTE)
        eventually(lambda: len(said) > 1)
    assert capfd.readouterr().err.count("not known to be on disk") == 1
    recorder.close()
    assert of_class(home, BotStopped)


def test_a_second_recorder_of_one_writer_is_refused_and_another_writer_is_not(
    recorder: Recorder, open_recorder: Open, home: Path
) -> None:
    with pytest.raises(WriterLocked, match=f"pid {os.getpid()}"):
        open_recorder()
    open_recorder(writer="feeder").emit(NOTE)
    assert NOTE in events_in(home, writer="feeder")


@pytest.mark.parametrize(
    ("bot", "writer"),
    [
        ("../x", "main"),
        ("", "main"),
        ("b", ""),
        ("b", "a/b"),
        ("_sidecar", "main"),
        ("b", "_sidecar"),
        ("b", "control"),
    ],
)
def test_names_that_are_not_a_bots_are_refused(bot: str, writer: str, open_recorder: Open, home: Path) -> None:
    with pytest.raises(ConfigError, match="expected"):
        open_recorder(bot, writer=writer)
    assert list(home.rglob("*")) == []


def test_the_home_is_taken_from_the_environment(
    open_recorder: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWATCH_HOME", str(tmp_path / "elsewhere"))
    assert open_recorder(home=None).home == tmp_path / "elsewhere"


def test_an_open_that_fails_leaves_nothing_locked(open_recorder: Open, home: Path) -> None:
    blocking = names.writer_folder(home, BOT, names.CONTROL)
    blocking.parent.mkdir(parents=True)
    blocking.touch()
    with pytest.raises(OSError, match="File exists"):
        open_recorder()
    blocking.unlink()
    open_recorder()


def test_opening_and_closing_leaves_no_descriptor_or_thread_behind(open_recorder: Open) -> None:
    open_recorder().close()
    files, threads = open_files(), set(threading.enumerate())
    for _ in range(5):
        one = open_recorder()
        one.close()
        one.close()
    eventually(lambda: not open_files() - files)  # what others open meanwhile they close again
    assert set(threading.enumerate()) <= threads


WRITE_UNTIL_KILLED = """
import sys
from deskwatch import LogRecorded, Recorder
recorder = Recorder.open("arb-1", home=sys.argv[1])
for number in range(10**9):
    recorder.emit(LogRecorded(message=str(number), levelname="INFO", name="n"))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_sigkill_loses_nothing_that_emit_returned_from(home: Path) -> None:
    told = []
    for lines in (1, 50, 700):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE_UNTIL_KILLED, str(home)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        seen += child.stdout.read().splitlines(keepends=True)
        child.stdout.close()
        child.wait()
        told.append([int(line) for line in seen if line.endswith("\n")])
    Recorder.open("arb-1", home=home).close()
    records = [read(line, BOT, "main") for line in lines_in(home)]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    runs = list(dict.fromkeys(record.run for record in records))
    for run, numbers in zip(runs, told, strict=False):
        journaled = [
            int(record.event.message)
            for record in records
            if record.run == run and isinstance(record.event, LogRecorded)
        ]
        assert journaled[: len(numbers)] == numbers
