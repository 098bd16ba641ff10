"""A sink's cursor."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.journal import Position
from deskwatch.sinks.cursor import Cursor

names = st.text("abc-", min_size=1, max_size=5)


@given(
    positions=st.dictionaries(
        st.tuples(names, names), st.builds(Position, st.integers(0, 2**62), st.integers(0, 2**62)), max_size=5
    ),
    delivered=st.integers(0, 2**62),
)
def test_a_cursor_comes_back_as_it_was_saved(
    positions: dict[tuple[str, str], Position], delivered: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    cursor, again = Cursor(home, "loki"), Cursor(home, "loki")
    cursor.load()
    cursor.positions, cursor.delivered, cursor.quarantined = positions, delivered, 3
    cursor.save()
    again.load()
    assert (again.positions, again.delivered, again.quarantined) == (positions, delivered, 3)


def test_without_a_file_delivery_begins_at_the_start(home: Path) -> None:
    cursor = Cursor(home, "loki")
    cursor.load()
    assert (cursor.positions, cursor.delivered, cursor.quarantined) == ({}, 0, 0)
    assert cursor.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"positions":[["a","b",1]]}', b'{"positions":[["\xff","b",1,2]]}']
)
def test_a_cursor_that_cant_be_read_begins_at_the_start_and_says_so(
    content: bytes, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cursor = Cursor(home, "loki")
    cursor.path.parent.mkdir()
    cursor.path.write_bytes(content)
    cursor.load()
    assert cursor.positions == {}
    assert "cursor can't be read" in caplog.text
