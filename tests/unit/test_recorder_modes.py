"""A bot's mode: how it starts, who changes it, when it takes effect."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Recorder
from deskwatch.command import last_mode
from deskwatch.encoding import encode
from deskwatch.events import (
    CommandExpired,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from deskwatch.journal import Writer, names
from tests import removal
from tests.lines import events_in, segment_files, write
from tests.unit.recording import Open, Operator
from tests.waiting import eventually


def said(home: Path) -> list[Any]:
    """What the bot said of modes and commands since its start."""
    words = (ModeChanged, CommandStarted, CommandSucceeded, CommandFailed)
    found = [event for event in events_in(home) if isinstance(event, words)]
    starts = [at for at, event in enumerate(found) if isinstance(event, ModeChanged) and event.reason == "start"]
    return found[starts[-1] + 1 :]


def arrived(recorder: Recorder) -> None:
    eventually(recorder._inbox.has_waiting)


def test_a_bot_never_seen_before_starts_in_standby(recorder: Recorder) -> None:
    assert recorder.mode is Mode.STANDBY


@pytest.mark.parametrize("mode", Mode)
def test_a_bot_never_seen_before_starts_as_its_own_code_says(mode: Mode, open_recorder: Open) -> None:
    assert open_recorder(mode=mode).mode is mode


@pytest.mark.parametrize("last", Mode)
@pytest.mark.parametrize("initial", [Mode.ACTIVE, Mode.HALTED])
def test_a_restart_is_in_the_mode_the_bot_was_last_in(last: Mode, initial: Mode, open_recorder: Open) -> None:
    open_recorder(mode=last).close()
    assert open_recorder(mode=initial).mode is last


def test_a_restart_after_a_crash_knows_the_mode(open_recorder: Open, home: Path) -> None:
    recorder = open_recorder(mode=Mode.ACTIVE)
    recorder.set_mode(Mode.CLOSING, reason="daily loss limit")
    recorder._background.stop()
    recorder._journal.close()  # as the kernel does at a process's death
    assert open_recorder(mode=Mode.ACTIVE).mode is Mode.CLOSING


@pytest.mark.parametrize("writer", [names.MAIN, names.CONTROL])
def test_a_bot_starts_though_retention_removes_segments_meanwhile(
    open_recorder: Open, home: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    journal = Writer(names.writer_folder(home, "arb-1", writer), segment_bytes=300).open()
    for _ in range(30):
        journal.append(b'{"type":"x"}')
    journal.close()
    gone = removal.after_listing(monkeypatch, times=2)
    assert open_recorder(mode=Mode.ACTIVE).mode is Mode.ACTIVE
    assert gone() == 2


def test_garbage_in_the_journals_hides_neither_mode(open_recorder: Open, control: Operator, home: Path) -> None:
    open_recorder(mode=Mode.ACTIVE).close()
    control.ask(Mode.STANDBY)
    control._writer.append(b'{"type":"command_accepted","command":"set_mode"}')
    write(home, [ModeChanged(mode=Mode.CLOSING)])
    for writer in (names.MAIN, names.CONTROL):
        with segment_files(home, writer=writer)[-1].open("ab") as file:
            file.write(b'garbage "type":"mode_changed" "command":"set_mode"\n')
    assert open_recorder()._steering.mode is Mode.CLOSING


def test_a_lower_mode_asked_for_while_the_bot_was_down_is_its_start(open_recorder: Open, control: Operator) -> None:
    open_recorder(mode=Mode.ACTIVE).close()
    control.ask(Mode.HALTED)
    recorder = open_recorder()
    assert recorder._steering.mode is Mode.HALTED  # before its own code reads it
    assert recorder.mode is Mode.HALTED


def test_a_riskier_mode_asked_for_too_long_ago_is_not(open_recorder: Open, control: Operator) -> None:
    open_recorder(mode=Mode.CLOSING).close()
    control.give("set_mode", {"mode": "active"}, seconds=-1)
    assert open_recorder().mode is Mode.CLOSING


def test_a_mode_asked_for_takes_effect_by_the_read_that_returns_it(
    recorder: Recorder, control: Operator, home: Path
) -> None:
    command_id = control.ask(Mode.ACTIVE)
    arrived(recorder)
    assert said(home) == []
    assert recorder.mode is Mode.ACTIVE
    assert said(home) == [
        CommandStarted(command_id=command_id, command="set_mode", params={"mode": "active"}, cause=command_id),
        ModeChanged(mode=Mode.ACTIVE, previous=Mode.STANDBY, reason="a test", actor="operator", cause=command_id),
        CommandSucceeded(command_id=command_id, command="set_mode", result={"mode": "active"}, cause=command_id),
    ]
    assert recorder.mode is Mode.ACTIVE
    assert len(said(home)) == 3


def test_asking_for_the_mode_it_has_changes_nothing_and_succeeds(
    recorder: Recorder, control: Operator, home: Path
) -> None:
    control.ask(Mode.STANDBY)
    arrived(recorder)
    assert recorder.mode is Mode.STANDBY
    assert [type(event).__name__ for event in said(home)] == ["CommandStarted", "CommandSucceeded"]


@pytest.mark.parametrize("params", [{}, {"mode": "fast"}, {"mode": ["active"]}, {"mode": None}], ids=repr)
def test_a_mode_that_is_none_fails_the_command(
    params: dict[str, Any], recorder: Recorder, control: Operator, home: Path
) -> None:
    control.give("set_mode", params)
    arrived(recorder)
    assert recorder.mode is Mode.STANDBY
    _, failed = said(home)
    assert isinstance(failed, CommandFailed)
    assert "expected one of active, standby, closing, halted" in failed.error


def test_several_modes_asked_for_are_obeyed_in_order(recorder: Recorder, control: Operator, home: Path) -> None:
    for mode in (Mode.ACTIVE, Mode.HALTED, Mode.CLOSING):
        control.ask(mode)
    eventually(lambda: len(recorder._inbox._waiting) == 3)
    assert recorder.mode is Mode.CLOSING
    assert [event.mode for event in said(home) if isinstance(event, ModeChanged)] == ["active", "halted", "closing"]


def test_of_two_threads_neither_overtakes_the_others_command(
    recorder: Recorder, control: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.ask(Mode.ACTIVE)
    control.ask(Mode.HALTED)
    eventually(lambda: len(recorder._inbox._waiting) == 2)
    real, slow = recorder._entry.emit, threading.Event()

    def emit(event: Any, durable: bool) -> None:
        if isinstance(event, CommandStarted) and not slow.is_set():
            slow.set()
            threading.Event().wait(0.1)  # the first command's step takes the disk long
        real(event, durable)

    monkeypatch.setattr(recorder._entry, "emit", emit)
    first = threading.Thread(target=lambda: recorder.mode)
    first.start()
    slow.wait(5)
    assert recorder.mode is Mode.HALTED
    first.join()
    assert recorder.mode is Mode.HALTED


def test_the_bot_may_change_its_own_mode_and_says_why(recorder: Recorder, home: Path) -> None:
    assert recorder.set_mode(Mode.ACTIVE, reason="warmed up") is Mode.ACTIVE
    assert recorder.set_mode(Mode.ACTIVE) is Mode.ACTIVE
    assert said(home) == [ModeChanged(mode=Mode.ACTIVE, previous=Mode.STANDBY, reason="warmed up", actor="bot")]


def test_only_a_person_leads_a_bot_out_of_halted(
    recorder: Recorder, control: Operator, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder.set_mode(Mode.HALTED)
    for mode in (Mode.ACTIVE, Mode.STANDBY, Mode.CLOSING, Mode.HALTED):
        assert recorder.set_mode(mode) is Mode.HALTED
    assert "only a person" in capfd.readouterr().err
    control.ask(Mode.STANDBY)
    arrived(recorder)
    assert recorder.mode is Mode.STANDBY


def test_halted_survives_restarts(open_recorder: Open) -> None:
    open_recorder(mode=Mode.HALTED).close()
    for _ in range(2):
        recorder = open_recorder(mode=Mode.ACTIVE)
        assert recorder.mode is Mode.HALTED
        recorder.close()


def test_after_retention_the_last_heartbeat_tells_the_mode(home: Path) -> None:
    """The change to halted was said long ago, and its segment is gone: a restart must not raise the risk."""
    folder = names.writer_folder(home, "arb-1", names.MAIN)
    write(home, [HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0, mode=Mode.HALTED)])
    assert last_mode(folder) is Mode.HALTED
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        assert recorder.mode is Mode.HALTED


@pytest.mark.parametrize("later", ["heartbeat", "change"])
def test_of_heartbeat_and_change_of_mode_the_later_tells(later: str, home: Path) -> None:
    beat = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0, mode=Mode.CLOSING)
    change = ModeChanged(mode=Mode.HALTED)
    write(home, [change, beat] if later == "heartbeat" else [beat, change])
    write(home, [HeartbeatSent(uptime_seconds=2.0, idle_seconds=0.0)])  # of an older version: it tells no mode
    write(home, [CommandSucceeded(command_id="c", command="set_mode", result={"mode": "active"})])
    assert last_mode(names.writer_folder(home, "arb-1", names.MAIN)) is (
        Mode.CLOSING if later == "heartbeat" else Mode.HALTED
    )


def test_a_command_given_before_the_bot_halted_itself_leaves_it_halted(
    recorder: Recorder, control: Operator, home: Path
) -> None:
    """It was on its way when the bot halted: whoever gave it did not know."""
    control.ask(Mode.ACTIVE)
    arrived(recorder)
    recorder.set_mode(Mode.HALTED, reason="daily loss limit")
    assert recorder.mode is Mode.HALTED
    failed = said(home)[-1]
    assert isinstance(failed, CommandFailed)
    assert "the bot halted itself meanwhile" in failed.error
    control.ask(Mode.ACTIVE)
    eventually(lambda: recorder.mode is Mode.ACTIVE)


@pytest.mark.parametrize("mode", [Mode.ACTIVE, Mode.STANDBY, Mode.CLOSING])
def test_a_command_by_someone_who_may_not_or_did_not_know_leaves_a_bot_halted(
    mode: Mode, recorder: Recorder, control: Operator, home: Path
) -> None:
    recorder.set_mode(Mode.HALTED)
    control.give("set_mode", {"mode": mode.value}, leaves_halted=False)
    arrived(recorder)
    assert recorder.mode is Mode.HALTED
    assert isinstance(said(home)[-1], CommandFailed)
    control.give("set_mode", {"mode": "halted"}, leaves_halted=False)
    arrived(recorder)
    assert recorder.mode is Mode.HALTED
    assert isinstance(said(home)[-1], CommandSucceeded)


def test_an_operators_halt_before_a_re_arming_is_left_by_it(recorder: Recorder, control: Operator) -> None:
    """Both wait: the second was given by someone who knew of the first."""
    control.give("set_mode", {"mode": "halted"}, leaves_halted=False)
    control.ask(Mode.ACTIVE)
    eventually(lambda: len(recorder._inbox._waiting) == 2)
    assert recorder.mode is Mode.ACTIVE


def test_a_halt_of_the_bots_own_on_top_of_an_operators_counts(recorder: Recorder, control: Operator) -> None:
    control.ask(Mode.HALTED)
    control.ask(Mode.ACTIVE)
    eventually(lambda: len(recorder._inbox._waiting) == 2)
    recorder.set_mode(Mode.HALTED, reason="daily loss limit")
    assert recorder.mode is Mode.HALTED


@pytest.mark.parametrize(
    ("asked", "start"),
    [
        (["halted expired"], Mode.HALTED),
        (["active expired"], Mode.STANDBY),
        (["halted expired", "active expired"], Mode.HALTED),
        (["halted", "active expired"], Mode.HALTED),
        (["halted expired", "standby expired"], Mode.HALTED),
        (["halted", "standby"], Mode.STANDBY),
    ],
    ids=str,
)
def test_of_modes_that_expired_those_that_lower_bind_the_next_start(
    asked: list[str], start: Mode, open_recorder: Open, control: Operator
) -> None:
    open_recorder(mode=Mode.STANDBY).close()
    for each in asked:
        mode, _, expired = each.partition(" ")
        command_id = control.give("set_mode", {"mode": mode}, seconds=-1)
        if expired:
            control._writer.append(encode(CommandExpired(command_id=command_id, command="set_mode")))
    assert open_recorder().mode is start
