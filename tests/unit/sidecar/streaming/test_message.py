"""Messages as they are on both roads."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import Event
from deskwatch.journal import Position, read
from deskwatch.projections.activity import entry_of
from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Place
from deskwatch.sidecar.streaming.message import Message
from tests import strategies
from tests.lines import record_of

PLACES = {("arb-1", "main"): Place(Position(1, 5), 7)}


@given(fields=st.dictionaries(st.text(), st.integers() | st.text(), min_size=1), n=st.integers(1, 10**9))
def test_both_roads_carry_the_same_message_with_the_connections_count(fields: dict[str, object], n: int) -> None:
    message = Message(fields, PLACES)
    place, data, *end = message.as_event(n).decode().split("\n")
    assert (place, end) == (f"id: {cursor.token(PLACES)}", ["", ""])
    assert json.loads(data.removeprefix("data: ")) == json.loads(message.as_text(n)) == {"n": n, **fields}


@given(event=strategies.hostile_event)
def test_no_event_breaks_the_framing(event: Event) -> None:
    record = record_of(event)
    entry = entry_of(record, 1, 0)
    lines = Message({"events": [entry]}).as_event(1).split(b"\n")
    assert len(lines) == 3
    assert lines[0].startswith(b'data: {"n":1,')
    assert b"\r" not in lines[0]


def test_space_within_a_foreign_line_does_not_break_the_framing() -> None:
    record = read(b'{"type":"moon_landed",\r"ts":1}', "b", "main")
    data = Message({"events": [entry_of(record, 1, 0)]}).as_event(1)
    assert b"\r" not in data
    assert json.loads(data.removeprefix(b"data: "))["events"][0]["raw"] == {"type": "moon_landed", "ts": 1}
