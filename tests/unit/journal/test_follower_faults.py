"""Segments that are cut, swapped or gone: each is told with its reason, and reading goes on where nothing is missed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deskwatch.journal import START, Follower, Position, WriterFollower, names
from tests.unit.journal.segments import LENGTH, LINES, path, put, read


@pytest.fixture
def folder(home: Path) -> Path:
    made = names.writer_folder(home, "arb-1", "main")
    made.mkdir(parents=True)
    return made


def following(home: Path, position: Position = START) -> WriterFollower:
    """Nobody remembers: reading goes on at the last whole line."""
    return WriterFollower(home, "arb-1", "main", position)


def test_a_sound_journal_has_no_faults(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    put(folder, 4, *LINES[3:6])
    follower = following(home)
    assert read(follower) == (LINES[:6], [])
    put(folder, 7, *LINES[6:])
    assert read(follower) == (LINES[6:], [])
    follower.close()


@pytest.mark.parametrize("cut", [0, LENGTH, 2 * LENGTH - 5])
def test_a_segment_cut_while_it_is_read_is_told_and_what_is_appended_is_read(
    cut: int, home: Path, folder: Path
) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home)
    read(follower)
    os.truncate(path(folder, 1), cut)
    assert read(follower) == ([], ["truncated"])
    assert read(follower) == ([], [])
    os.truncate(path(folder, 1), cut - cut % LENGTH)  # as its writer would, to mend the torn line
    put(folder, 1, LINES[8])
    assert read(follower) == ([LINES[8]], [])
    follower.close()


def test_a_segment_cut_before_the_next_is_told(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home)
    read(follower)
    os.truncate(path(folder, 1), LENGTH)
    put(folder, 4, LINES[3])
    assert read(follower) == ([LINES[3]], ["truncated"])
    follower.close()


def test_a_torn_line_that_its_writer_mends_is_no_fault(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    os.truncate(path(folder, 1), 3 * LENGTH - 4)
    follower = following(home)
    assert read(follower) == (LINES[:2], [])
    os.truncate(path(folder, 1), 2 * LENGTH)
    put(folder, 1, LINES[8])
    assert read(follower) == ([LINES[8]], [])
    follower.close()


def test_a_torn_line_before_another_segment_is_passed_on_once_also_to_who_reads_on_behind_it(
    home: Path, folder: Path
) -> None:
    path(folder, 1).write_bytes(b"torn")
    put(folder, 2, LINES[1])
    first = following(home)
    batch = first.read()
    first.close()
    assert batch is not None
    assert batch.lines == [b"torn"]
    again = following(home, batch.position)
    assert read(again) == ([LINES[1]], [])
    again.close()


def test_a_segment_put_in_the_place_of_another_is_told(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home)
    read(follower)
    put(folder, 5, *LINES[3:7])
    path(folder, 5).rename(path(folder, 1))
    assert read(follower) == ([LINES[6]], ["replaced"])
    follower.close()


def test_a_segment_cut_and_filled_with_other_lines_is_told(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home)
    read(follower)
    put(folder, 1, b"longer than any of the lines before it, by far, so that they end elsewhere" * 3, mode="wb")
    lines, faults = read(follower)
    assert (len(lines), faults) == (1, ["replaced"])
    follower.close()


def test_a_segment_that_was_read_to_its_end_may_go(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home)
    read(follower)
    put(folder, 4, *LINES[3:6])
    path(folder, 1).unlink()
    assert read(follower) == (LINES[3:6], [])
    follower.close()


def test_the_newest_segment_gone_is_told_once_and_read_on_while_it_is_held(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    put(folder, 4, LINES[3])
    follower = following(home)
    read(follower)
    with path(folder, 4).open("ab") as held:
        path(folder, 4).unlink()
        assert read(follower) == ([], ["vanished"])
        held.write(LINES[4] + b"\n")
        held.flush()
        assert read(follower) == ([LINES[4]], [])
    put(folder, 6, LINES[5])
    assert read(follower) == ([LINES[5]], [])
    follower.close()


def test_after_the_newest_segment_is_gone_a_writer_that_goes_on_in_the_one_before_is_followed(
    home: Path, folder: Path
) -> None:
    put(folder, 1, *LINES[:3])
    put(folder, 4, LINES[3])
    follower = following(home)
    read(follower)
    path(folder, 4).unlink()
    assert read(follower) == ([], ["vanished"])
    put(folder, 1, LINES[8])
    put(folder, 3, LINES[7])
    assert read(follower) == ([LINES[8], LINES[7]], [])
    follower.close()


def test_a_position_behind_all_that_exists_is_told_and_reading_goes_on_at_the_end(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home, Position(4, LENGTH))
    assert read(follower) == ([], ["vanished"])
    assert follower.position == Position(1, 3 * LENGTH)
    put(folder, 1, LINES[8])
    assert read(follower) == ([LINES[8]], [])
    follower.close()


@pytest.mark.parametrize("held", [True, False])
def test_a_journal_removed_altogether_and_begun_anew_is_followed_from_its_start(
    held: bool, home: Path, folder: Path
) -> None:
    put(folder, 4, *LINES[3:6])
    follower = following(home)
    read(follower)
    if not held:
        follower.close()
    path(folder, 4).unlink()
    assert read(follower) == ([], ["vanished"])
    assert follower.position == Position(4, 3 * LENGTH)
    put(folder, 1, LINES[0])
    assert read(follower) == ([LINES[0]], [])
    follower.close()


def test_a_bot_s_folder_that_is_removed_makes_nothing_unreadable(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = Follower(home).open()
    follower.discover()
    assert len(list(follower.read())) == 1
    path(folder, 1).unlink()
    folder.rmdir()
    (told,) = follower.read()
    assert told.faults == ("vanished",)
    assert list(follower.read()) == []
    assert follower.unreadable == set()
    follower.close()


def test_a_segment_that_comes_back_is_read_on(home: Path, folder: Path) -> None:
    put(folder, 1, *LINES[:3])
    follower = following(home, Position(1, LENGTH))
    path(folder, 1).rename(folder / "elsewhere")
    assert read(follower) == ([], ["vanished"])
    (folder / "elsewhere").rename(path(folder, 1))
    assert read(follower) == (LINES[1:3], [])
    follower.close()


def test_a_position_whose_segment_is_gone_before_others_is_told(home: Path, folder: Path) -> None:
    put(folder, 7, *LINES[6:])
    follower = following(home, Position(4, LENGTH))
    assert read(follower) == (LINES[6:], ["vanished"])
    follower.close()


def test_an_error_in_the_middle_of_a_segment_holds_up_its_journal_only_and_for_as_long_as_it_lasts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bot in ("broken", "sound"):
        made = names.writer_folder(home, bot, "main")
        made.mkdir(parents=True)
        put(made, 1, *(LINES * 3000))
    inode = path(names.writer_folder(home, "broken", "main"), 1).stat().st_ino
    pread = os.pread

    def failing(fd: int, size: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino != inode:
            return pread(fd, size, offset)
        if offset >= 100_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(fd, min(size, 100_000 - offset), offset)

    follower = Follower(home).open()
    follower.discover()
    counts = {"broken": 0, "sound": 0}

    def read_all() -> None:
        for _ in range(40):
            for batch in follower.read(65536):
                counts[batch.bot] += len(batch.lines)
                assert batch.faults == ()

    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", failing)
        read_all()
        assert follower.unreadable == {("broken", "main")}
        assert counts["sound"] == len(LINES) * 3000
        assert 0 < counts["broken"] <= 100_000 // LENGTH
    read_all()
    assert follower.unreadable == set()
    assert counts == {"broken": len(LINES) * 3000, "sound": len(LINES) * 3000}
    follower.close()
