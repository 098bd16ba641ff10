"""The mode that is asked for, and its tag."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deskwatch.events import (
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandStarted,
    Event,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from deskwatch.projections import Projections
from deskwatch.projections import asked as asked_module
from deskwatch.projections.asked import Asked
from tests.lines import START_NS, record_of


def asked(name: str, mode: str) -> CommandAccepted:
    return CommandAccepted(
        command_id=name, command="set_mode", params={"mode": mode}, actor="operator", expires_ts=START_NS
    )


def word(kind: type[Any], name: str) -> Any:
    more = {"error": "no"} if kind is CommandFailed else {}
    return kind(command_id=name, command="set_mode", **more)


def standing(actual: str | None, *events: Any) -> str | None:
    one = Asked()
    for event in events:
        one.apply(record_of(event))
    return one.standing(actual)


@pytest.mark.parametrize(
    ("actual", "events", "desired"),
    [
        ("standby", [], None),
        ("standby", [asked("a", "active")], "active"),
        ("standby", [asked("a", "active"), word(CommandStarted, "a")], "active"),
        ("standby", [asked("a", "active"), word(CommandExpired, "a")], None),
        (None, [asked("a", "active"), word(CommandExpired, "a")], "active"),  # its first start is never above
        ("active", [asked("a", "halted"), word(CommandExpired, "a")], "halted"),  # heeded at its next start
        ("halted", [asked("a", "standby"), word(CommandStarted, "a"), word(CommandFailed, "a")], None),
        (
            "standby",
            [asked("a", "standby"), word(CommandStarted, "a"), asked("b", "active"), word(CommandExpired, "b")],
            "standby",
        ),
        (
            "active",
            [asked("a", "halted"), word(CommandExpired, "a"), asked("b", "standby"), word(CommandExpired, "b")],
            "halted",
        ),
        ("active", [asked("a", "halted"), word(CommandExpired, "a"), asked("b", "active")], "active"),
        ("standby", [asked("a", "active"), word(CommandExpired, "a"), word(CommandStarted, "a")], "active"),
        ("standby", [word(CommandExpired, "a"), asked("a", "active")], None),  # read in the other order
    ],
)
def test_what_came_to_nothing_is_asked_no_longer_unless_it_lowers(
    actual: str | None, events: list[Any], desired: str | None
) -> None:
    assert standing(actual, *events) == desired


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_module, "KEPT", 3)
    one = Asked()
    for number in range(9):
        one.apply(record_of(asked(f"a{number}", "active")))
        one.apply(record_of(word(CommandExpired, f"b{number}")))
    assert (len(one.modes), len(one.fates)) == (3, 3)


def test_a_mode_has_another_tag_whenever_anything_of_it_changes() -> None:
    projections = Projections()
    tags = []
    events = [
        ModeChanged(mode=Mode.STANDBY),
        asked("a", "active"),
        ModeChanged(mode=Mode.ACTIVE, previous=Mode.STANDBY),
        asked("b", "standby"),
        ModeChanged(mode=Mode.STANDBY, previous=Mode.ACTIVE),
        asked("c", "standby"),
        ModeChanged(mode=Mode.HALTED, previous=Mode.STANDBY),
    ]
    for number, event in enumerate(events):
        projections.apply(record_of(event, seq=number + 1))
        tags.append(projections.state.bots["arb-1"].mode.etag)
    assert len(set(tags)) == len(events)
    again = Projections()
    for number, event in enumerate(events):
        again.apply(record_of(event, seq=number + 1))
    assert again.state.bots["arb-1"].mode.etag == tags[-1]  # after a replay it is the same


@pytest.mark.parametrize(
    "first", [ModeChanged(mode=Mode.ACTIVE), HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0, mode=Mode.ACTIVE)]
)
def test_the_tag_outlives_a_checkpoint_between_a_mode_and_what_is_asked_then(first: Event) -> None:
    whole, restarted = Projections(), Projections()
    whole.apply(record_of(first, seq=1))
    restarted.load(msgspec.json.decode(msgspec.json.encode(whole.dump())))
    for one in (whole, restarted):
        one.apply(record_of(asked("a", "standby"), seq=2))
    assert restarted.state.bots["arb-1"].mode.etag == whole.state.bots["arb-1"].mode.etag


def changed(mode: str, cause: str | None = None) -> ModeChanged:
    return ModeChanged(mode=Mode(mode), previous=Mode.ACTIVE, cause=cause)


@pytest.mark.parametrize(
    ("mode", "then", "desired"),
    [
        ("closing", "standby", None),  # it is flat
        ("closing", "active", "closing"),
        ("active", "standby", None),  # it, or somebody elsewhere, has lowered the risk
        ("active", "halted", None),
        ("standby", "active", "standby"),  # it has become riskier than anybody here asked for
        ("standby", "standby", "standby"),
    ],
)
def test_a_mode_that_was_taken_up_and_left_for_less_risk_is_asked_for_no_longer(
    mode: str, then: str, desired: str | None
) -> None:
    taken = [asked("a", mode), word(CommandStarted, "a"), changed(mode, "a")]
    assert standing(then, *taken, changed(then)) == desired
    assert standing(then, taken[2], changed(then), *taken[:2]) == desired  # journals are read in either order


def test_a_mode_that_was_not_taken_up_yet_is_asked_for_though_the_bot_does_less() -> None:
    one = [asked("a", "standby"), word(CommandStarted, "a"), changed("standby", "a")]
    assert standing("standby", *one, asked("b", "active")) == "active"
    assert standing("standby", *one, asked("b", "active"), word(CommandStarted, "b")) == "active"
