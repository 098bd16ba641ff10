"""A sink's cursor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.journal import Position
from deskwatch.sinks.cursor import Cursor, Part

names = st.text("abc-", min_size=1, max_size=5)
numbers = st.integers(0, 2**62)
places = st.builds(Position, numbers, numbers)
keys = st.tuples(names, names)
KEY = ("arb-1", "main")


def part(start: int, end: int, *, is_ahead: bool = False) -> Part:
    return Part(bot="arb-1", writer="main", start=Position(1, start), end=Position(1, end), is_ahead=is_ahead)


@given(
    positions=st.dictionaries(keys, places, max_size=5),
    ahead=st.dictionaries(keys, st.tuples(places, places), max_size=3),
    newest=st.dictionaries(keys, numbers, max_size=3),
    figures=st.tuples(numbers, numbers, numbers, numbers),
    plan=st.lists(
        st.builds(
            Part,
            bot=names,
            writer=names,
            start=places,
            end=places,
            late=st.lists(st.tuples(numbers, numbers, numbers), max_size=2),
            is_ahead=st.booleans(),
        ),
        max_size=3,
    ),
)
def test_a_cursor_comes_back_as_it_was_saved(
    positions: dict[tuple[str, str], Position],
    ahead: dict[tuple[str, str], tuple[Position, Position]],
    newest: dict[tuple[str, str], int],
    figures: tuple[int, int, int, int],
    plan: list[Part],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    cursor, again = Cursor(home, "loki"), Cursor(home, "loki")
    cursor.load()
    cursor.positions, cursor.ahead, cursor.newest, cursor.plan = positions, ahead, newest, plan
    cursor.delivered, cursor.quarantined, cursor.late, cursor.late_ts = figures
    cursor.save()
    again.load()
    assert (again.positions, again.ahead, again.newest, again.plan) == (positions, ahead, newest, plan)
    assert (again.delivered, again.quarantined, again.late, again.late_ts) == figures
    assert again.saved_positions() == cursor.saved_positions() == positions


@given(times=st.dictionaries(st.integers(0, 60), st.integers(0, 60), max_size=40))
def test_late_lines_come_back_from_their_runs(times: dict[int, int]) -> None:
    one = part(0, 9)
    one.set_late(times)
    assert one.late_times() == times
    assert len(one.late) <= len(times)


def test_consecutive_late_lines_are_one_run() -> None:
    one = part(0, 9)
    one.set_late({4: 100, 5: 101, 6: 102, 8: 103})
    assert one.late == [(4, 3, 100), (8, 1, 103)]


def test_a_push_moves_the_cursor_when_it_is_settled_and_the_disk_knows_when_it_is_saved(home: Path) -> None:
    cursor = Cursor(home, "loki")
    cursor.load()
    cursor.begin([part(0, 70)])
    cursor.save()
    assert cursor.positions == cursor.saved_positions() == {}
    cursor.settle(delivered=5, quarantined=2, late=1)
    assert cursor.positions == {KEY: Position(1, 70)}
    assert cursor.saved_positions() == {}
    assert cursor.is_changed
    cursor.save()
    assert cursor.saved_positions() == {KEY: Position(1, 70)}
    assert (cursor.delivered, cursor.quarantined, cursor.late, cursor.plan) == (5, 2, 1, [])


def test_both_delivered_ranges_become_one_when_the_backlog_reaches_the_other(home: Path) -> None:
    cursor = Cursor(home, "loki")
    cursor.load()
    cursor.ahead[KEY] = (Position(1, 500), Position(1, 500))
    cursor.begin([part(0, 200), part(500, 700, is_ahead=True)])
    cursor.settle(delivered=2, quarantined=0, late=0)
    assert (cursor.positions, cursor.ahead) == (
        {KEY: Position(1, 200)},
        {KEY: (Position(1, 500), Position(1, 700))},
    )
    cursor.begin([part(200, 500)])
    cursor.settle(delivered=1, quarantined=0, late=0)
    assert (cursor.positions, cursor.ahead) == ({KEY: Position(1, 700)}, {})


def test_a_cursor_that_cant_be_saved_is_as_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = Cursor(home, "loki")
    cursor.load()
    cursor.begin([part(0, 70)])
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        cursor.save()
    assert cursor.is_changed
    assert not cursor.path.exists()


def test_the_file_of_an_older_version_is_read(home: Path) -> None:
    cursor = Cursor(home, "loki")
    cursor.path.parent.mkdir()
    cursor.path.write_text(
        json.dumps({"positions": [["arb-1", "main", 1, 7]], "delivered": 3, "quarantined": 1}), encoding="utf-8"
    )
    cursor.load()
    assert cursor.positions == cursor.saved_positions() == {KEY: Position(1, 7)}
    assert (cursor.delivered, cursor.quarantined, cursor.plan, cursor.ahead) == (3, 1, [], {})


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


def shipped_to(home: Path, *offsets: int) -> Cursor:
    """A cursor that was saved at each of these offsets."""
    cursor = Cursor(home, "loki")
    cursor.load()
    for offset in offsets:
        cursor.positions[KEY] = Position(1, offset)
        cursor.save()
    return cursor


def test_where_the_cursor_cant_be_read_the_one_before_it_is_and_outlives_the_next_save(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = shipped_to(home, 70, 140).path
    for _ in range(2):
        path.write_bytes(b"torn")
        again = Cursor(home, "loki")
        again.load()
        assert again.positions == again.saved_positions() == {KEY: Position(1, 70)}
        assert "the one before it" in caplog.text
        again.save()


def test_a_cursor_that_was_removed_begins_at_the_start(home: Path) -> None:
    shipped_to(home, 70, 140).path.unlink()
    cursor = Cursor(home, "loki")
    cursor.load()
    assert cursor.positions == {}


def test_a_filesystem_without_links_keeps_one_cursor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    shipped_to(home, 70, 140)
    cursor = Cursor(home, "loki")
    cursor.load()
    assert cursor.positions == {KEY: Position(1, 140)}
