"""What is known of delivered lines, and where reading goes on when a journal is not what was read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import LogRecorded
from deskwatch.journal import Position, names
from deskwatch.sinks.marks import RUNS, Last, Mark, Marked, last_of
from tests.lines import line_of


def line(seq: int, run: str = "a") -> bytes:
    event = LogRecorded(message=f"of {run}, {seq}, and another run's id: {'b' * 16}", levelname="INFO", name="n")
    return line_of(event, seq=seq, run=run.encode() * 16)


def mark(seq: int, *runs: str) -> Mark:
    """All was delivered up to this `seq`, which is the last run's; 10 of each before it."""
    one = Mark()
    for run in runs[:-1]:
        one = one.followed_by(last_of(line(10, run)))
    return one.followed_by(last_of(line(seq, runs[-1])))


def put(folder: Path, segment: int, *lines: bytes) -> int:
    """Write a segment; its size."""
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / names.segment_name(segment)).write_bytes(b"".join(one + b"\n" for one in lines))


@given(kept=st.integers(0, 20), delivered=st.integers(1, 20), new=st.integers(0, 20), segments=st.integers(1, 4))
def test_reading_goes_on_before_the_first_line_that_was_not_delivered(
    kept: int, delivered: int, new: int, segments: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A disk kept some lines of run `a`; then run `c` wrote more. None of `c` is missed, none of `a` is sent twice."""
    folder = tmp_path_factory.mktemp("journal")
    lines = [line(seq) for seq in range(1, kept + 1)] + [line(kept + n + 1, "c") for n in range(new)]
    size = len(lines) // segments + 1
    for first in range(0, max(len(lines), 1), size):
        put(folder, first + 1, *lines[first : first + size])
    at = mark(delivered, "a").find_end(folder, Position(first + 1, 10**6))
    read = {
        seq
        for seq, _ in enumerate(lines, 1)
        if Position((seq - 1) // size * size + 1, sum(len(x) + 1 for x in lines[(seq - 1) // size * size : seq - 1]))
        >= at
    }
    known = set(range(1, min(kept, delivered) + 1))
    assert read == set(range(1, len(lines) + 1)) - known


def test_lines_of_an_earlier_run_are_known_where_none_of_the_last_is_left(tmp_path: Path) -> None:
    size = put(tmp_path, 1, *(line(seq, "a") for seq in range(1, 11)))
    put(tmp_path, 11, line(11, "c"))
    assert mark(30, "a", "d").find_end(tmp_path, Position(11, 999)) == Position(1, size)


def test_a_line_that_only_speaks_of_a_run_is_not_of_it(tmp_path: Path) -> None:
    put(tmp_path, 1, line(1, "c"), line(2, "c"))
    assert mark(9, "b").find_end(tmp_path, Position(1, 999)) == Position(1, 0)


def test_a_damaged_or_torn_line_is_not_known(tmp_path: Path) -> None:
    size = put(tmp_path, 1, line(1))
    put(tmp_path, 1, line(1), line(2).replace(b"message", b"massage"), line(3)[:-5])
    with (tmp_path / names.segment_name(1)).open("r+b") as file:
        file.truncate(file.seek(0, 2) - 1)
    assert mark(9, "a").find_end(tmp_path, Position(1, 999)) == Position(1, size)


@pytest.mark.parametrize(("position", "place"), [(Position(5, 70), Position(5, 0)), (Position(7, 70), Position(1, 0))])
def test_without_runs_the_segment_is_read_again_or_the_oldest_where_it_is_gone(
    position: Position, place: Position, tmp_path: Path
) -> None:
    for segment in (1, 5):
        put(tmp_path, segment, b'{"type":"moon_landed","ts":1}')
    assert Mark(7).find_end(tmp_path, position) == place


def test_without_a_journal_the_position_is_kept(tmp_path: Path) -> None:
    assert mark(5, "a").find_end(tmp_path / "none", Position(5, 70)) == Position(5, 70)


def test_a_line_with_a_run_is_known_by_its_seq_and_another_by_its_bytes() -> None:
    one = mark(5, "a", "c")
    assert [one.knows(line(seq, run)) for seq, run in ((5, "c"), (6, "c"), (10, "a"), (11, "a"), (1, "d"))] == [
        True,
        False,
        True,
        False,
        False,
    ]
    foreign = Mark().followed_by(last_of(b"garbage"))
    assert [foreign.knows(b"garbage"), foreign.knows(b"other"), Mark().knows(b"other")] == [True, False, True]


def test_a_run_that_is_read_again_is_known_as_far_as_before_and_the_oldest_runs_are_forgotten() -> None:
    one = mark(5, "a").followed_by(Last(1, "a" * 16, 3))
    assert dict(one.runs) == {"a" * 16: 5}
    for number in range(RUNS):
        one = one.followed_by(Last(1, str(number), 1))
    assert [run for run, _ in one.runs] == [str(number) for number in range(RUNS)]


def test_what_retention_removed_was_delivered_and_a_folder_made_anew_was_not(tmp_path: Path) -> None:
    memory = Marked(tmp_path)
    memory.position, memory.mark = Position(5, 70), mark(10, "a")
    put(tmp_path, 11)
    assert memory.next_seq("arb-1", "main") == 11
    put(tmp_path, 1)
    assert memory.next_seq("arb-1", "main") == 0
