"""Commands as they reach a bot."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deskwatch import Command, Recorder
from deskwatch import command as command_module
from deskwatch import steering as steering_module
from deskwatch.encoding import encode
from deskwatch.errors import CommandError, NotSynced
from deskwatch.events import CommandAccepted, CommandExpired, CommandFailed, CommandStarted, CommandSucceeded, Mode
from deskwatch.journal import Writer, names
from deskwatch.listener import Listener
from tests.lines import events_in, segment_files, write
from tests.unit.recording import Open, Operator
from tests.waiting import eventually, eventually_async


def said(home: Path) -> list[Any]:
    words = (CommandStarted, CommandSucceeded, CommandFailed)
    return [event for event in events_in(home) if isinstance(event, words)]


def test_a_command_is_started_on_disk_before_it_is_delivered(recorder: Recorder, control: Operator, home: Path) -> None:
    command_id = control.give("close_position", {"position_id": "p1"})
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert (command.id, command.type, command.params) == (command_id, "close_position", {"position_id": "p1"})
    assert (command.actor, command.reason) == ("operator", "a test")
    assert command_id in repr(command)
    started = CommandStarted(
        command_id=command_id, command="close_position", params={"position_id": "p1"}, cause=command_id
    )
    assert said(home) == [started]


def test_an_outcome_is_journaled_once(recorder: Recorder, control: Operator, home: Path) -> None:
    control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    command.succeed({"closed": 2})
    assert said(home)[-1] == CommandSucceeded(
        command_id=command.id, command="close_all", result={"closed": 2}, cause=command.id
    )
    for again in (command.succeed, lambda: command.fail("no")):
        with pytest.raises(CommandError, match="finished before"):
            again()
    assert len(said(home)) == 2


def test_a_failure_says_why(recorder: Recorder, control: Operator, home: Path) -> None:
    control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    command.fail("no liquidity")
    assert said(home)[-1].error == "no liquidity"


def test_commands_come_in_the_order_they_were_given(recorder: Recorder, control: Operator) -> None:
    given = [control.give("close_all", {"n": n}) for n in range(5)]
    commands = [recorder.next_command(timeout_seconds=30) for _ in given]
    assert [command.id for command in commands if command] == given
    assert recorder.next_command() is None


def test_a_ping_is_answered_at_the_bots_next_safe_point(recorder: Recorder, control: Operator, home: Path) -> None:
    control.give("ping")
    eventually(recorder._inbox.has_waiting)
    assert said(home) == []
    assert recorder.mode is Mode.STANDBY
    assert said(home)[-1].result == {"run": recorder.run, "mode": "standby"}


def test_waiting_for_a_command_ends_early_when_one_comes(recorder: Recorder, control: Operator) -> None:
    threading.Timer(0.05, control.give, ("close_all",)).start()
    began = time.monotonic()
    assert recorder.next_command(timeout_seconds=30) is not None
    assert time.monotonic() - began < 10


def test_waiting_for_a_command_ends_early_when_the_mode_changes(recorder: Recorder, control: Operator) -> None:
    threading.Timer(0.05, control.ask, (Mode.ACTIVE,)).start()
    began = time.monotonic()
    assert recorder.next_command(timeout_seconds=30) is None
    assert time.monotonic() - began < 10
    assert recorder.mode is Mode.ACTIVE


def test_waiting_goes_on_over_a_ping_and_ends_with_the_time(recorder: Recorder, control: Operator, home: Path) -> None:
    control.give("ping")
    began = time.monotonic()
    assert recorder.next_command(timeout_seconds=0.3) is None
    assert time.monotonic() - began >= 0.3
    assert isinstance(said(home)[-1], CommandSucceeded)


def test_a_command_past_its_time_is_never_delivered(recorder: Recorder, control: Operator, home: Path) -> None:
    control.give("close_all", seconds=-1)
    control.give("close_all", seconds=0.2)
    eventually(recorder._inbox.has_waiting)
    eventually(lambda: time.time_ns() > recorder._inbox._waiting[0].accepted.expires_ts)
    assert recorder.next_command() is None
    assert said(home) == []
    assert not recorder._inbox.has_waiting()


def test_a_command_given_while_the_bot_was_down_is_delivered(open_recorder: Open, control: Operator) -> None:
    given = control.give("close_all")
    command = open_recorder().next_command()
    assert command is not None
    assert command.id == given


def test_a_started_command_is_not_delivered_again(open_recorder: Open, control: Operator) -> None:
    first, second = control.give("close_all"), control.give("close_all")
    recorder = open_recorder()
    command = recorder.next_command()
    assert command is not None
    assert command.id == first
    recorder.close()
    again = open_recorder()
    command = again.next_command()
    assert command is not None
    assert command.id == second
    again.close()
    assert open_recorder().next_command() is None


def test_only_accepted_commands_in_the_control_journal_are_commands(
    recorder: Recorder, control: Operator, home: Path
) -> None:
    control._writer.append(encode(CommandExpired(command_id="x", command="close_all")))
    control._writer.append(b'{"type":"command_accepted","command_id":"no more"}')
    accepted = CommandAccepted(command_id="m", command="close_all", params={}, actor="a", expires_ts=2**62)
    write(home, [accepted], writer="feeder")
    given = control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert command.id == given
    assert recorder.next_command() is None


def test_a_flood_of_commands_is_bounded(recorder: Recorder, control: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_module, "MAX_WAITING", 3)
    given = [control.give("close_all") for _ in range(6)]
    eventually(lambda: recorder._inbox._follower.backlog_bytes() == 0)
    delivered = []
    while (command := recorder.next_command(timeout_seconds=0.1)) is not None:
        delivered.append(command.id)
    assert len(delivered) >= 3
    assert delivered == [each for each in given if each in delivered]


def test_the_newest_segment_of_commands_is_where_a_start_begins(open_recorder: Open, home: Path) -> None:
    writer = Writer(names.writer_folder(home, "arb-1", names.CONTROL), segment_bytes=1).open()
    operator = Operator(writer)
    operator.ask(Mode.ACTIVE)
    last = operator.give("close_all")
    writer.close()
    assert len(segment_files(home, writer=names.CONTROL)) == 2
    command = open_recorder().next_command()
    assert command is not None
    assert command.id == last


async def test_commands_come_as_an_asynchronous_iterator(recorder: Recorder, control: Operator) -> None:
    got: list[Command] = []

    async def serve() -> None:
        async for command in recorder.commands():
            command.succeed()
            got.append(command)

    early = control.give("close_all")
    serving = asyncio.create_task(serve())
    await eventually_async(lambda: got)
    late = control.give("close_all")
    await eventually_async(lambda: len(got) == 2)
    assert [command.id for command in got] == [early, late]
    recorder.close()
    await asyncio.wait_for(serving, 30)
    assert recorder._listeners == []


async def test_an_iterator_of_commands_also_carries_out_modes(recorder: Recorder, control: Operator) -> None:
    serving = asyncio.create_task(anext(recorder.commands(), None))
    control.ask(Mode.ACTIVE)
    await eventually_async(lambda: recorder._steering.mode is Mode.ACTIVE)
    recorder.close()
    assert await asyncio.wait_for(serving, 30) is None


def test_a_loop_that_was_closed_does_not_hurt_the_others(recorder: Recorder, control: Operator) -> None:
    loop = asyncio.new_event_loop()
    recorder._listeners.append(Listener(loop, asyncio.Event()))
    loop.close()
    control.give("close_all")
    assert recorder.next_command(timeout_seconds=30) is not None
    control.give("close_all")
    assert recorder.next_command(timeout_seconds=30) is not None


def test_a_command_whose_start_the_disk_does_not_confirm_in_time_fails_and_is_not_delivered(
    recorder: Recorder, control: Operator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its start is in the journal: without another word it would seem to run for ever."""
    monkeypatch.setattr(steering_module, "RETRY_SECONDS", 0.01)
    real = recorder._entry.write

    def write(event: Any, *, durable: bool = False) -> None:
        real(event)
        if durable:
            raise NotSynced("the disk does not confirm")

    def sync() -> None:
        raise NotSynced("the disk does not confirm")

    with monkeypatch.context() as stuck:
        stuck.setattr(recorder._entry, "write", write)
        stuck.setattr(recorder._journal, "sync", sync)
        late = control.give("close_all", seconds=0.3)
        eventually(
            lambda: recorder.next_command() is None and any(isinstance(one, CommandFailed) for one in said(home))
        )
    started, failed = said(home)
    assert (started.command_id, failed.command_id) == (late, late)
    assert "was not carried out" in failed.error
    given = control.give("close_all")
    command = recorder.next_command(timeout_seconds=30)
    assert command is not None
    assert command.id == given
