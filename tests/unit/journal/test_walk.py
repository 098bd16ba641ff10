"""Reading a journal from one place to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.errors import ConfigError
from deskwatch.journal import Position, Writer, names
from deskwatch.journal.walk import Line, Walk, select
from tests import removal
from tests.lines import BOT, segment_files

BODY = b'{"type":"price_observed","venue":"v","symbol":"s","price":1}'


@pytest.fixture
def folder(home: Path) -> Path:
    """A writer's folder with several segments."""
    path = names.writer_folder(home, BOT, "main")
    writer = Writer(path, segment_bytes=400).open()
    for _ in range(10):
        writer.append(BODY)
    writer.close()
    return path


def text_at(home: Path, line: Line) -> bytes:
    data = (names.writer_folder(home, BOT, "main") / names.segment_name(line.segment)).read_bytes()
    return data[line.offset : line.offset + len(line.text)]


def test_every_line_comes_with_its_place(home: Path, folder: Path) -> None:
    lines = list(Walk(home, BOT, "main"))
    assert len(lines) == 10
    assert len({line.segment for line in lines}) > 2
    assert all(line.whole and text_at(home, line) == line.text for line in lines)


def test_it_stops_at_its_stop_and_goes_on_from_there(home: Path, folder: Path) -> None:
    lines = list(Walk(home, BOT, "main"))
    for cut in range(11):
        stop = Position(lines[cut].segment, lines[cut].offset) if cut < 10 else Walk(home, BOT, "main").end()
        walk = Walk(home, BOT, "main", stop=stop)
        assert list(walk) == lines[:cut]
        walk.stop = walk.end()
        assert list(walk) == lines[cut:]
        assert list(Walk(home, BOT, "main", stop)) == lines[cut:]


def test_lines_written_meanwhile_wait_for_the_next_walk(home: Path, folder: Path) -> None:
    walk = Walk(home, BOT, "main")
    with segment_files(home)[-1].open("ab") as file:
        file.write(b"one more\nand half of")
    assert len(list(walk)) == 10
    walk.stop = walk.end()
    assert [line.text for line in walk] == [b"one more"]


def test_a_torn_line_of_a_closed_segment_is_not_whole(home: Path, folder: Path) -> None:
    first = segment_files(home)[0]
    first.write_bytes(first.read_bytes()[:-5])
    torn = [line for line in Walk(home, BOT, "main") if not line.whole]
    assert [text_at(home, line) for line in torn] == [line.text for line in torn]
    assert len(torn) == 1


@given(st.lists(st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"")), max_size=20))
def test_whatever_stands_in_a_segment_is_read_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
) -> None:
    home = tmp_path_factory.mktemp("home")
    path = names.writer_folder(home, BOT, "main")
    path.mkdir(parents=True)
    (path / names.segment_name(1)).write_bytes(b"".join(text + b"\n" for text in texts))
    assert [line.text for line in Walk(home, BOT, "main")] == texts


def test_journals_are_chosen_by_bot_and_writer(home: Path, folder: Path) -> None:
    names.writer_folder(home, BOT, "control").mkdir(parents=True)
    names.writer_folder(home, "arb-2", "main").mkdir(parents=True)
    assert select(home) == [(BOT, "control"), (BOT, "main"), ("arb-2", "main")]
    assert select(home, "arb-2") == [("arb-2", "main")]
    assert select(home, writer="main") == [(BOT, "main"), ("arb-2", "main")]
    with pytest.raises(ConfigError, match="expected a journal of arb-3/"):
        select(home, "arb-3")
    with pytest.raises(ConfigError, match="expected the bot's name"):
        select(home, "../arb-1")


def test_a_newest_segment_that_goes_meanwhile_leaves_the_one_before_as_the_end(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = segment_files(home)[-2]
    gone = removal.after_listing(monkeypatch, removal.NEWEST)
    stop = Walk(home, BOT, "main").stop
    assert gone() == 1
    assert (names.segment_name(stop.segment), stop.offset) == (before.name, before.stat().st_size)
