"""Reading a journal from its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.encoding import encode
from deskwatch.events import BotStopped, ModeChanged
from deskwatch.events.lifecycle import Mode
from deskwatch.journal import Writer, names
from deskwatch.journal.tail import _lines_backwards, find_end, lines_with
from tests import removal
from tests.lines import START_NS, line_of


@pytest.fixture
def folder(home: Path) -> Path:
    made = names.writer_folder(home, "arb-1", "main")
    made.mkdir(parents=True)
    return made


def segment(folder: Path, first_seq: int, data: bytes) -> None:
    (folder / names.segment_name(first_seq)).write_bytes(data)


def stopped(seq: int) -> bytes:
    return line_of(BotStopped(reason="closed"), seq=seq) + b"\n"


def test_nothing_written_has_no_end(folder: Path) -> None:
    assert find_end(folder) is None
    assert find_end(folder / "nowhere") is None


@pytest.mark.parametrize(
    ("segments", "first_seq", "next_seq"),
    [
        ({1: stopped(1) + stopped(2)}, 1, 3),
        ({1: stopped(1), 2: stopped(2)}, 2, 3),
        ({1: stopped(1), 2: b""}, 2, 2),
        ({1: stopped(1), 2: b'{"torn'}, 2, 2),
        ({1: stopped(1) + b"garbage\n\n"}, 1, 4),
        ({1: stopped(1), 2: b"garbage\n"}, 2, 3),
        ({1: b""}, 1, 1),
        ({1: b"garbage\n"}, 1, 2),
        ({7: b""}, 7, 7),
        ({7: b'{"torn'}, 7, 7),
        ({1: b'{"type":"bot_stopped","ts":1,"reason":"no seq"}\n'}, 1, 2),
    ],
    ids=[
        "one segment",
        "two segments",
        "an empty one after",
        "a torn one after",
        "garbage behind",
        "garbage in a new one",
        "only an empty one",
        "only garbage",
        "earlier ones gone, the last empty",
        "earlier ones gone, the last torn",
        "foreign lines",
    ],
)
def test_a_writer_goes_on_behind_all_that_was_written(
    segments: dict[int, bytes], first_seq: int, next_seq: int, folder: Path
) -> None:
    for first, data in segments.items():
        segment(folder, first, data)
    end = find_end(folder)
    assert end is not None
    assert (end.first_seq, end.next_seq) == (first_seq, next_seq)
    assert end.size == segments[first_seq].rfind(b"\n") + 1


def test_the_last_time_is_found(folder: Path) -> None:
    segment(folder, 1, stopped(5) + b"garbage\n")
    end = find_end(folder)
    assert end is not None
    assert end.last_ts == START_NS + 5


@given(data=st.lists(st.sampled_from((b"", b"a", b"bc", b"\n", b"\n\n"))).map(b"".join))
def test_reading_backwards_gives_the_whole_lines_reversed(data: bytes) -> None:
    whole = data[: data.rfind(b"\n") + 1]
    assert list(_lines_backwards(data)) == whole.split(b"\n")[:-1][::-1]


def test_lines_with_a_needle_come_newest_first_over_segments(folder: Path) -> None:
    writer = Writer(folder, segment_bytes=300).open()
    for mode in (*Mode, *Mode):
        writer.append(encode(ModeChanged(mode=mode)))
        writer.append(encode(BotStopped(reason="closed")))
    writer.close()
    assert len(names.segments(folder)) > 2
    segment(folder, 100, b"")
    with (folder / names.segment_name(100)).open("ab") as file:
        file.write(b'{"type":"mode_changed" and torn')
    found = [line.partition(b'"mode":"')[2].partition(b'"')[0].decode() for line in lines_with(folder, b"mode_changed")]
    assert found == [*reversed([*Mode, *Mode])]


def test_a_needle_twice_in_a_line_gives_the_line_once(folder: Path) -> None:
    segment(folder, 1, b"x needle needle x\nother\n")
    assert list(lines_with(folder, b"needle")) == [b"x needle needle x"]


def test_a_needle_that_is_not_there_gives_nothing(folder: Path) -> None:
    segment(folder, 1, b"")
    segment(folder, 2, stopped(2))
    assert list(lines_with(folder, b"needle")) == []


def test_a_segment_that_goes_meanwhile_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seq in (1, 2, 3):
        segment(folder, seq, stopped(seq))
    gone = removal.after_listing(monkeypatch, removal.OLDEST)
    assert list(lines_with(folder, b"bot_stopped")) == [stopped(3)[:-1], stopped(2)[:-1]]
    assert gone() == 1


def test_a_writer_goes_on_though_the_segment_before_its_empty_one_goes_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment(folder, 1, stopped(1))
    segment(folder, 2, b"")
    gone = removal.after_listing(monkeypatch, removal.OLDEST)
    end = find_end(folder)
    assert gone() == 1
    assert end is not None
    assert (end.first_seq, end.size, end.next_seq) == (2, 0, 2)
