"""Cursors on the wire."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.journal import Position
from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import MalformedCursor, Place
from tests import strategies

numbers = st.integers(0, 10**19 - 1)
places = st.builds(Place, st.builds(Position, numbers, numbers), st.none() | st.integers(0, 2**32 - 1))
cursors = st.dictionaries(st.tuples(strategies.bots, st.sampled_from(("main", "control", "x.y-z_0"))), places)


@given(one=cursors)
def test_a_cursor_comes_back_as_it_was_shown(one: dict[cursor.Key, Place]) -> None:
    assert cursor.read(cursor.shown(one)) == one
    assert cursor.from_token(cursor.token(one)) == one


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "arb-1/main",
        {"arb-1/main": 5},
        {"arb-1/main": "5"},
        {"arb-1/main": "1.-5"},
        {"arb-1/main": "1.5\n"},
        {"arb-1/main": "\u0661.5"},
        {"arb-1/main": f"1.{10**19}"},
        {"arb-1": "1.5"},
        {"../main": "1.5"},
        {"arb-1/..": "1.5"},
        {"arb-1/main/x": "1.5"},
        {f"arb-{number}/main": "1.5" for number in range(cursor.MAX_PLACES + 1)},
    ],
)
def test_what_is_no_cursor_is_told(value: object) -> None:
    with pytest.raises(MalformedCursor, match="expected"):
        cursor.read(value)


@given(text=st.text(max_size=50))
def test_whatever_comes_as_a_token_is_none_or_empty(text: str) -> None:
    with contextlib.suppress(MalformedCursor):  # and nothing else
        assert cursor.from_token(text) == {}


@pytest.mark.parametrize("text", ["", "!", "e30=x", "W1", "W10", "bnVsbA", "W1tbW1tbW1tb" * 2000])
def test_broken_tokens_are_told(text: str) -> None:
    with pytest.raises(MalformedCursor, match="expected"):
        cursor.from_token(text)
