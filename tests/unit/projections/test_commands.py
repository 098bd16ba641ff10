"""The life of commands."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandRefused,
    CommandStarted,
    CommandSucceeded,
    Event,
    Mode,
)
from deskwatch.journal import Record
from deskwatch.projections import Commands, Projections
from deskwatch.projections import commands as commands_module
from deskwatch.projections.life import CommandState
from tests import strategies
from tests.lines import START_NS, record_of

EXPIRES = START_NS + 30 * 10**9
ACCEPTED = CommandAccepted(
    command_id="c",
    command="close_all",
    params={"n": 1},
    actor="operator",
    reason="why",
    expires_ts=EXPIRES,
    idempotency_key="key",
)
STARTED = CommandStarted(command_id="c", command="close_all")
SUCCEEDED = CommandSucceeded(command_id="c", command="close_all", result={"closed": 1})
FAILED = CommandFailed(command_id="c", command="close_all", error="no")
EXPIRED = CommandExpired(command_id="c", command="close_all")
REFUSED = CommandRefused(command_id="c", command="close_all", actor="operator", error="no")
RESTARTED = BotStarted(pid=1, host="h", mode=Mode.STANDBY)


def after(*events: Event | Record) -> CommandState:
    """The command after these words, a second apart."""
    commands = Commands()
    for number, event in enumerate(events):
        commands.apply(event if isinstance(event, Record) else record_of(event, ts=START_NS + number * 10**9))
    command = commands.get("c")
    assert command is not None
    return command


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([ACCEPTED], "accepted"),
        ([ACCEPTED, STARTED], "running"),
        ([ACCEPTED, STARTED, SUCCEEDED], "succeeded"),
        ([ACCEPTED, STARTED, FAILED], "failed"),
        ([ACCEPTED, EXPIRED], "expired"),
        ([REFUSED], "refused"),
        ([ACCEPTED, STARTED, RESTARTED], "unknown"),
        ([ACCEPTED, STARTED, RESTARTED, SUCCEEDED], "succeeded"),
        ([ACCEPTED, STARTED, SUCCEEDED, RESTARTED], "succeeded"),
        ([ACCEPTED, RESTARTED], "accepted"),
        ([ACCEPTED, EXPIRED, STARTED], "running"),
        ([ACCEPTED, STARTED, EXPIRED], "running"),
    ],
)
def test_a_commands_status_is_what_was_said_of_it(events: list[Event], status: str) -> None:
    assert after(*events).status == status


def test_a_command_tells_its_whole_life() -> None:
    assert after(ACCEPTED, STARTED, SUCCEEDED) == CommandState(
        id="c",
        bot="arb-1",
        type="close_all",
        status="succeeded",
        params={"n": 1},
        actor="operator",
        reason="why",
        result={"closed": 1},
        accepted_at=START_NS / 1e9,
        started_at=START_NS / 1e9 + 1,
        finished_at=START_NS / 1e9 + 2,
        expires_at=EXPIRES / 1e9,
        reported="succeeded",
        idempotency_key="key",
        run="0123456789abcdef",
        writer="main",
    )
    assert after(ACCEPTED, STARTED, FAILED).error == "no"
    assert after(ACCEPTED, EXPIRED).finished_at == START_NS / 1e9 + 1
    assert after(REFUSED).error == "no"


def test_another_of_the_bots_processes_may_start_without_ending_a_command() -> None:
    assert after(ACCEPTED, STARTED, record_of(RESTARTED, writer="feeder", run=b"b")).status == "running"
    assert after(ACCEPTED, STARTED, record_of(RESTARTED, bot="arb-2", run=b"b")).status == "running"


@settings(max_examples=300)
@given(words=strategies.commands_of_a_bot(), order=st.randoms())
def test_lines_of_the_two_journals_may_be_read_in_any_order(words: tuple[list[Event], list[Event]], order: Any) -> None:
    """Commands end the same, and so do the modes asked for."""
    control, main = words
    seen = []
    for _ in range(2):
        left = [
            [record_of(event, ts=START_NS + number) for number, event in enumerate(each, 1000 * at)]
            for at, each in enumerate((control, main))
        ]
        projections = Projections()
        while any(left):
            projections.apply(order.choice([one for one in left if one]).pop(0))
        ids = {event.command_id for event in control if isinstance(event, CommandAccepted)}
        state = projections.state.bots["arb-1"]
        seen.append(
            ({name: projections.commands.get(name) for name in ids}, state.mode, state.commands, state.open_orders)
        )
    assert seen[0] == seen[1]


def test_the_same_key_finds_the_bots_command() -> None:
    commands = Commands()
    commands.apply(record_of(ACCEPTED))
    found = commands.by_key("arb-1", "key")
    assert found is not None
    assert found.id == "c"
    assert commands.by_key("arb-2", "key") is None
    assert commands.by_key("arb-1", "other") is None
    assert commands.get("d") is None


def test_a_command_is_overdue_while_nothing_was_heard_of_it_after_its_time() -> None:
    for events, overdue in (([ACCEPTED], True), ([ACCEPTED, STARTED], False), ([ACCEPTED, EXPIRED], False)):
        commands = Commands()
        for event in events:
            commands.apply(record_of(event))
        assert commands.overdue(EXPIRES / 1e9) == []
        assert bool(commands.overdue(EXPIRES / 1e9 + 1)) is overdue


def test_the_oldest_command_is_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands_module, "KEPT", 2)
    commands = Commands()
    for name in "abc":
        commands.apply(record_of(msgspec.structs.replace(ACCEPTED, command_id=name, idempotency_key=name)))
    assert commands.get("a") is None
    assert commands.by_key("arb-1", "a") is None
    assert commands.by_key("arb-1", "b") is not None


def test_what_is_remembered_is_bounded_in_bytes_too_and_no_bot_costs_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands_module, "KEPT_BYTES", 10_000)
    commands = Commands()
    commands.apply(record_of(msgspec.structs.replace(ACCEPTED, command_id="other"), bot="arb-2"))
    for number in range(100):
        accepted = msgspec.structs.replace(ACCEPTED, command_id=f"c{number}", params={"x": "y" * 500})
        commands.apply(record_of(accepted))
    assert 10 < len(commands.of("arb-1")) < 20
    assert commands.by_key("arb-2", "key") is not None
    again = Commands()
    again.load(json.loads(msgspec.json.encode(commands.dump())))
    assert again.overdue(EXPIRES) == commands.overdue(EXPIRES) != []
    for one in (commands, again):
        one.apply(record_of(msgspec.structs.replace(ACCEPTED, command_id="new", params={"x": "y" * 5000})))
    assert again.dump() == commands.dump()


def test_other_events_move_no_command() -> None:
    assert not Commands().apply(record_of(RESTARTED))


@given(records=strategies.records(), cut=st.integers(0, 20))
def test_a_checkpoint_in_between_changes_nothing(records: list[Record], cut: int) -> None:
    whole, first, second = Commands(), Commands(), Commands()
    for record in records:
        whole.apply(record)
    for record in records[:cut]:
        first.apply(record)
    second.load(json.loads(msgspec.json.encode(first.dump())))
    for record in records[cut:]:
        second.apply(record)
    assert second.dump() == whole.dump()
    assert second._keys == whole._keys
