"""Where somebody remembers what was read, a segment that is not as it was left is read again from its start."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deskwatch.journal import START, Position, WriterFollower, names
from tests.unit.journal.remembering import Remembering
from tests.unit.journal.segments import LENGTH, LINES, path, put, read


@pytest.fixture
def folder(home: Path) -> Path:
    made = names.writer_folder(home, "arb-1", "main")
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize(("known", "faults"), [(6, []), (5, ["vanished"])])
def test_whoever_remembers_that_it_read_a_segment_to_its_end_does_not_miss_it(
    known: int, faults: list[str], home: Path, folder: Path
) -> None:
    """Retention may remove it while the sidecar is down, and its position still lies in it."""
    put(folder, 7, *LINES[6:])
    memory = Remembering(LINES[:known])
    follower = WriterFollower(home, "arb-1", "main", Position(4, 2 * LENGTH), memory)
    assert read(follower) == (LINES[6:], faults)
    follower.close()


Break = Callable[[Path], Any]


def cut(folder: Path) -> None:
    os.truncate(path(folder, 4), LENGTH)


def cut_and_write(folder: Path) -> None:
    put(folder, 4, *LINES[:2], mode="wb")


def write_anew(folder: Path) -> None:
    path(folder, 4).unlink()
    put(folder, 4, *LINES[6:], LINES[2])


def remove(folder: Path) -> None:
    path(folder, 4).unlink()
    put(folder, 1, LINES[8])


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize(
    ("broken", "reason", "again"),
    [
        (cut, "truncated", LINES[3:4]),
        (cut_and_write, "truncated", LINES[:2]),
        (write_anew, "replaced", [*LINES[6:], LINES[2]]),
        (remove, "vanished", [*LINES[:3], LINES[8]]),
    ],
)
def test_whoever_remembers_reads_what_is_there_now_from_the_segment_s_start(
    broken: Break, reason: str, again: list[bytes], restart: bool, home: Path, folder: Path
) -> None:
    """A restarted writer may have put other lines where those were that were read: none of them is missed."""
    put(folder, 1, *LINES[:3])
    put(folder, 4, *LINES[3:6])
    follower = WriterFollower(home, "arb-1", "main", START, memory := Remembering())
    memory.remember(read(follower)[0])
    if restart:
        follower.close()
    broken(folder)
    if broken is remove and not restart:  # noticed before the writer went on
        os.truncate(path(folder, 1), 3 * LENGTH)
        assert read(follower) == ([], [reason])
        put(folder, 1, LINES[8])
        assert follower.read(1).lines == LINES[:3]  # type: ignore[union-attr]  # there is one
        assert read(follower) == ([LINES[8]], [])
    else:
        batch = follower.read()
        assert batch is not None
        assert batch.again
        assert (batch.lines, batch.faults) == (again, (reason,))
        assert read(follower) == ([], [])
    put(folder, 9, LINES[6])
    last = follower.read()
    assert last is not None
    assert (last.lines, last.again) == ([LINES[6]], False)
    follower.close()


def test_a_segment_read_again_is_read_in_small_batches_too(home: Path, folder: Path) -> None:
    many = [b"%d" % number * 100 for number in range(3000)]
    put(folder, 1, *many)
    size = path(folder, 1).stat().st_size
    follower = WriterFollower(home, "arb-1", "main", Position(1, size + 1), Remembering())
    batches = []
    while (batch := follower.read(1)) is not None:
        batches.append(batch)
        if len(batches) == 1:
            put(folder, 1, b"new")
    assert [line for batch in batches for line in batch.lines] == [*many, b"new"]
    assert [batch.again for batch in batches] == [True] * (len(batches) - 1) + [False]
    assert len(batches) > 3
    follower.close()


def test_a_writer_that_goes_on_before_anybody_looks_is_followed_where_it_writes(home: Path, folder: Path) -> None:
    """The newest segment is gone and still held; what the one before it has got since is no line that was read."""
    put(folder, 1, *LINES[:3])
    put(folder, 4, *LINES[3:6])
    follower = WriterFollower(home, "arb-1", "main", START, memory := Remembering())
    memory.remember(read(follower)[0])
    path(folder, 4).unlink()
    put(folder, 1, LINES[8])
    assert read(follower) == ([*LINES[:3], LINES[8]], ["vanished"])
    follower.close()


def test_a_segment_rewritten_to_the_same_length_is_noticed_while_it_is_open(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = WriterFollower(home, "arb-1", "main", START, memory := Remembering())
    memory.remember(read(follower)[0])
    put(folder, 1, *LINES[3:6], mode="wb")
    assert read(follower) == (LINES[3:6], ["replaced"])
    follower.close()
