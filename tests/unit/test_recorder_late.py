"""Commands that come late, twice, or amid a restart: no effect too many, and none after its time."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Command, Recorder
from deskwatch import command as command_module
from deskwatch import steering as steering_module
from deskwatch.command import Waiting, desired_mode
from deskwatch.encoding import encode
from deskwatch.events import (
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    Mode,
    ModeChanged,
)
from tests.lines import events_in, write
from tests.unit.recording import Open, Operator
from tests.waiting import eventually, eventually_async


def accepted(name: str, kind: str, params: dict[str, Any] | None = None, seconds: float = 30.0) -> CommandAccepted:
    return CommandAccepted(
        command_id=name,
        command=kind,
        params=params or {},
        actor="operator",
        expires_ts=time.time_ns() + int(seconds * 1e9),
        leaves_halted=True,
    )


def test_a_command_whose_time_ends_while_the_disk_stalls_is_not_carried_out(
    recorder: Recorder, control: Operator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync takes long and succeeds in the end."""
    real = recorder._entry.write

    def slow(event: Any, *, durable: bool = False) -> None:
        real(event, durable=durable)
        if durable and isinstance(event, CommandStarted):
            time.sleep(0.5)

    monkeypatch.setattr(recorder._entry, "write", slow)
    control.give("close_all", seconds=0.4)
    eventually(recorder._inbox.has_waiting)
    assert recorder.next_command() is None
    failed = events_in(home)[-1]
    assert isinstance(failed, CommandFailed)
    assert "was not carried out" in failed.error


async def test_an_iterator_tries_again_what_the_disk_did_not_confirm(
    recorder: Recorder, control: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering_module, "RETRY_SECONDS", 0.05)
    got: list[Command] = []
    refusals: list[int] = []
    real = os.fdatasync

    def refuse_twice(fd: int) -> None:
        if len(refusals) < 4:
            refusals.append(fd)
            raise OSError(errno.EIO, "no")
        real(fd)

    async def serve() -> None:
        async for command in recorder.commands():
            got.append(command)
            command.succeed()

    serving = asyncio.create_task(serve())
    given = control.give("close_all")
    monkeypatch.setattr(os, "fdatasync", refuse_twice)
    await eventually_async(lambda: got)
    assert [command.id for command in got] == [given]
    recorder.close()
    await asyncio.wait_for(serving, 30)


@pytest.mark.parametrize("first", [Mode.STANDBY, Mode.HALTED])
def test_a_command_given_before_the_bot_halted_itself_leaves_it_halted_over_a_restart_too(
    first: Mode, open_recorder: Open, control: Operator
) -> None:
    recorder = open_recorder(mode=first)
    control.ask(Mode.ACTIVE)
    eventually(recorder._inbox.has_waiting)
    recorder.set_mode(Mode.HALTED, reason="daily loss limit")  # by a watchdog, while the bot's loop hangs
    recorder.close()
    again = open_recorder()
    assert again.mode is Mode.HALTED
    again.close()
    third = open_recorder()
    assert third.mode is Mode.HALTED
    control.ask(Mode.ACTIVE)
    eventually(lambda: third.mode is Mode.ACTIVE)


def test_a_command_that_stands_twice_in_the_journal_is_delivered_once(recorder: Recorder, control: Operator) -> None:
    """The sidecar's writer writes a line again where its segment was removed meanwhile."""
    twice = encode(accepted("twice", "close_all"))
    control._writer.append(twice)
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    command.succeed()
    control._writer.append(twice)
    last = control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert command.id == last


def test_what_the_sidecar_called_expired_is_not_begun_although_the_clock_was_set_back(
    recorder: Recorder, control: Operator, open_recorder: Open, home: Path
) -> None:
    """Who gave it was told that it will not be."""
    for step in ("running", "anew"):
        control._writer.append(encode(accepted(step, "close_all", seconds=3600)))
        eventually(recorder._inbox.has_waiting)
        if step == "anew":
            recorder.close()
        control._writer.append(encode(CommandExpired(command_id=step, command="close_all")))
        if step == "running":
            eventually(lambda: recorder._inbox._follower.backlog_bytes() == 0)
            eventually(lambda: not recorder._inbox.has_waiting())
            assert recorder.next_command() is None
    assert open_recorder().next_command() is None
    assert CommandStarted not in map(type, events_in(home))


@pytest.mark.parametrize(("kind", "seconds"), [("close_all", 3600.0), ("ping", -1.0), ("set_mode", 3600.0)])
def test_a_flood_of_other_commands_holds_up_no_halt(
    kind: str, seconds: float, recorder: Recorder, control: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for a bot that hangs, or were for one that hung and are late by now."""
    monkeypatch.setattr(command_module, "MAX_WAITING", 3)
    recorder.set_mode(Mode.ACTIVE)
    flood = [Waiting(accepted(f"f{number}", kind, {"mode": "active"}, seconds), 0) for number in range(3)]
    with recorder._inbox._lock:
        recorder._inbox._waiting.extend(flood)
    control.ask(Mode.HALTED)
    control.give("close_all")
    eventually(lambda: recorder._inbox._waiting[-1].accepted.command_id not in ("f0", "f1", "f2"))
    eventually(lambda: recorder._inbox._follower.backlog_bytes() == 0)
    assert len(recorder._inbox._waiting) <= 5
    assert recorder.mode is Mode.HALTED


def test_parameters_that_look_like_a_mode_are_none(home: Path) -> None:
    halt = accepted("h", "set_mode", {"mode": "halted"})
    look_alike = accepted("x", "describe", {"command": "set_mode", "mode": "active"})
    write(home, [halt, look_alike], writer="control")
    assert desired_mode(home, "arb-1") is Mode.HALTED


def test_a_halt_of_the_bots_own_on_top_of_an_operators_is_told(
    recorder: Recorder, control: Operator, home: Path
) -> None:
    control.ask(Mode.HALTED)
    eventually(lambda: recorder.mode is Mode.HALTED)
    recorder.set_mode(Mode.HALTED, reason="daily loss limit")
    told = [event for event in events_in(home) if isinstance(event, ModeChanged)][-1]
    assert (told.mode, told.previous, told.reason, told.actor) == ("halted", "halted", "daily loss limit", "bot")


def test_a_halt_on_a_full_disk_does_not_seem_to_have_expired(
    open_recorder: Open, control: Operator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is carried out, and told once there is room: that it began, the mode, and that it succeeded."""
    recorder = open_recorder(mode=Mode.ACTIVE)
    given = control.ask(Mode.HALTED)
    eventually(recorder._inbox.has_waiting)
    with monkeypatch.context() as full:

        def refuse(*_: object, **__: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        full.setattr(recorder._entry, "_append", refuse)
        assert recorder.mode is Mode.HALTED
    eventually(lambda: not recorder._steering._owed)
    told = [event for event in events_in(home) if event.cause == given]
    assert [type(event) for event in told] == [CommandStarted, ModeChanged, CommandSucceeded]
