"""What a client holds: a fold over messages, however they are cut and repeated."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.live import BotState, Change, Cursor, Entry
from deskwatch.live.change import moved
from deskwatch.live.held import NO_RESUME, Held, place_of
from deskwatch.live.inbox import Inbox
from deskwatch.live.messages import Events, Heartbeat, Other, Snapshot, State, decode

WRITERS = ("arb-1/main", "arb-1/control", "mm-2/main")


def entry(writer: str, place: int) -> Entry:
    return Entry(id=f"{writer}/1.{place}", bot=writer.partition("/")[0], kind="orders", type="order_filled")


@given(
    st.lists(st.tuples(st.sampled_from(WRITERS), st.booleans()), max_size=40),
    st.lists(st.sampled_from([0, 0, 0, 1, 2, 5]), max_size=60),
)
def test_however_a_journal_is_told_again_each_event_is_taken_once(
    told: list[tuple[str, bool]], goes_back: list[int]
) -> None:
    """A connection that breaks tells again from a cursor that was held some time before."""
    ends = dict.fromkeys(WRITERS, 0)
    lines: list[Events] = []
    for writer, is_activity in told:
        events = [entry(writer, ends[writer])] if is_activity else []
        ends[writer] += 10
        lines.append(Events(events=events, cursor={writer: f"1.{ends[writer]}.77"}))
    held = Held({})
    cursor: Cursor | None = {}
    got: list[str | None] = []
    at = 0
    back = list(goes_back)
    while at < len(lines):
        change = held.take(lines[at], "stream")
        cursor = cursor if change is None else moved(cursor, change)
        got += [] if change is None else [one.id for one in change.events]
        at += 1
        if back:
            at = max(0, at - back.pop())  # and so on from there
    assert got == [one.id for line in lines for one in line.events]
    assert held.cursor == cursor == {writer: f"1.{end}.77" for writer, end in ends.items() if end}


def test_a_second_snapshot_tells_that_events_may_be_missing() -> None:
    held = Held()
    first = held.take(Snapshot(bots=[BotState(bot="a"), BotState(bot="b")], cursor={}), "stream")
    assert first is not None
    assert first.reset is None
    second = held.take(Snapshot(bots=[BotState(bot="b")], cursor={}), "stream")
    assert second is not None
    assert second.reset == NO_RESUME
    assert list(held.bots) == ["b"]


def test_only_the_bots_that_are_wanted_are_held() -> None:
    held = Held(bots=["a"])
    held.take(Snapshot(bots=[BotState(bot="a"), BotState(bot="b")]), "polling")
    change = held.take(State(bots=[BotState(bot="b"), BotState(bot="a", running=True)]), "polling")
    assert change is not None
    assert change.bots == ("a",)
    assert held.bots == {"a": BotState(bot="a", running=True)}


def test_a_heartbeat_is_no_change() -> None:
    assert Held().take(Heartbeat(position=3), "stream") is None


def test_what_a_newer_sidecar_says_beyond_this_is_passed_over() -> None:
    message: dict[str, Any] = {"type": "snapshot", "n": 1, "new": 1, "bots": [{"bot": "a", "mode": {"x": 1}, "y": []}]}
    known = decode(json.dumps(message))
    assert isinstance(known, Snapshot)
    assert known.bots == [BotState(bot="a")]
    assert decode('{"type":"weather","n":2,"rain":true}') == Other(type="weather", n=2)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type":1}', '{"type":"state","bots":[{"bot":1}]}', "\x00"])
def test_what_is_no_message_is_told(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text)


@pytest.mark.parametrize("text", [None, "", "x", "a/b", "arb-1/main/1", "arb-1/main/1.x", "arb-1/main/-1.2"])
def test_an_id_of_another_form_has_no_place(text: str | None) -> None:
    assert place_of(text)[1] is None


async def test_changes_of_state_alone_are_joined_while_they_wait() -> None:
    inbox = Inbox()
    inbox.put(Change(road="stream", bots=("a",), cursor={"a/main": "1.1"}))
    inbox.put(Change(road="stream", bots=("b", "a"), cursor={"b/main": "1.7"}))
    inbox.put(Change(road="stream", events=(entry("a/main", 1),), cursor={"a/main": "1.2"}))
    inbox.put(Change(road="stream", bots=("a",)))
    inbox.end(None)
    taken = [change async for change in _all(inbox)]
    assert [change.bots for change in taken] == [("a", "b"), (), ("a",)]
    cursor = None
    for change in taken:
        cursor = moved(cursor, change)
    assert cursor == {"a/main": "1.2", "b/main": "1.7"}


async def _all(inbox: Inbox) -> Any:
    while (change := await inbox.take()) is not None:
        yield change
