"""The writer when files, lock or descriptors are taken from under it: noticed by the next sync, told and made good."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch.encoding import encode
from deskwatch.errors import JournalError, WriterLocked
from deskwatch.events import BotStopped
from deskwatch.journal import Writer, names, read_envelope
from tests.lines import lines_in, segment_files

BODY = encode(BotStopped(reason="closed"))
Told = list[tuple[str, int]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def writer(home: Path, told: Told) -> Iterator[Writer]:
    folder = names.writer_folder(home, "arb-1", "main")
    one = Writer(folder, on_trouble=lambda reason, events, _: told.append((reason, events))).open()
    for _ in range(3):
        one.append(BODY)
    one.sync()
    yield one
    one.close()


def seqs(home: Path) -> list[int | None]:
    return [read_envelope(line).seq for line in lines_in(home)]


def test_a_sound_journal_is_left_as_it_is(writer: Writer, home: Path, told: Told) -> None:
    for _ in range(3):
        writer.sync()
    assert told == []
    assert len(segment_files(home)) == 1


def test_a_segment_that_was_removed_is_followed_by_another(writer: Writer, home: Path, told: Told) -> None:
    segment_files(home)[0].unlink()
    writer.append(BODY)
    writer.sync()
    assert writer.append(BODY) == 5
    assert seqs(home) == [5]
    assert told == [("removed", 4)]


def test_a_folder_that_was_removed_is_made_again_with_its_lock(writer: Writer, home: Path, told: Told) -> None:
    shutil.rmtree(home)
    writer.sync()
    assert writer.append(BODY) == 4
    assert seqs(home) == [4]
    assert sorted(told) == [("removed", 0), ("removed", 3)]
    with pytest.raises(WriterLocked):
        Writer(writer.folder).open()


def test_a_lock_that_was_removed_is_taken_again(writer: Writer, told: Told) -> None:
    (writer.folder / "lock").unlink()
    writer.sync()
    with pytest.raises(WriterLocked):
        Writer(writer.folder).open()
    assert told == [("removed", 0)]


def test_a_writer_whose_lock_was_taken_by_another_refuses_until_it_is_free(
    writer: Writer, home: Path, told: Told
) -> None:
    (writer.folder / "lock").unlink()
    other = Writer(writer.folder).open()
    with pytest.raises(WriterLocked):
        writer.sync()
    with pytest.raises(JournalError, match="another process took its lock"):
        writer.append(BODY)
    assert other.append(BODY) == 4
    other.close()
    writer.sync()
    assert writer.append(BODY) == 5
    assert seqs(home) == [1, 2, 3, 4, 5]


def test_a_segment_that_was_replaced_by_its_copy_loses_nothing(writer: Writer, home: Path, told: Told) -> None:
    (file,) = segment_files(home)
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)
    writer.sync()
    assert writer.append(BODY) == 4
    assert seqs(home) == [1, 2, 3, 4]
    assert told == [("removed", 0)]


def test_a_segment_that_was_cut_counts_the_lines_that_are_gone(writer: Writer, home: Path, told: Told) -> None:
    (file,) = segment_files(home)
    os.truncate(file, file.stat().st_size // 2)
    writer.sync()
    assert writer.append(BODY) == 4
    assert told == [("removed", 2)]
    assert names.segments(writer.folder) == [1, 4]


def test_lines_of_someone_else_are_kept_and_their_seq_is_not_given_again(
    writer: Writer, home: Path, told: Told
) -> None:
    lines = segment_files(home)[0].read_bytes().splitlines(keepends=True)
    with segment_files(home)[0].open("ab") as file:
        file.write(b'{"ts":1,"seq":4,"type":"x"}\n')
    writer.sync()
    assert writer.append(BODY) == 5
    assert seqs(home) == [1, 2, 3, 4, 5]
    assert told == [("removed", 0)]
    assert len(lines) == 3


def test_a_segment_that_someone_else_named_by_our_next_seq_is_left_alone(home: Path) -> None:
    """The lines in it keep their `seq`; ours go on behind them, in a segment of their own."""
    one = Writer(names.writer_folder(home, "arb-1", "main"), segment_bytes=1).open()
    one.append(BODY)
    (one.folder / names.segment_name(2)).write_bytes(b'{"ts":1,"seq":2,"type":"x"}\n{"ts":1,"seq":3,"type":"x"}\n')
    assert one.append(BODY) == 4
    one.close()
    assert seqs(home) == [1, 2, 3, 4]
    assert names.segments(one.folder) == [1, 2, 4]


def test_a_durable_line_is_never_in_a_file_that_was_removed(writer: Writer, home: Path) -> None:
    segment_files(home)[0].unlink()
    seq = writer.append(BODY, durable=True)
    assert seqs(home)[-1] == seq


@pytest.mark.parametrize("taken", [False, True], ids=["closed", "closed and given to another file"])
def test_a_descriptor_that_the_bot_closed_is_opened_again(
    taken: bool, writer: Writer, home: Path, tmp_path: Path, told: Told
) -> None:
    """A bot that closes what it doesn't know must not find journal lines in its own files, nor have them closed."""
    assert writer._segment is not None
    fd = writer._segment.fd
    os.close(fd)
    other = -1
    if taken:
        other = os.open(tmp_path / "the bot's own", os.O_WRONLY | os.O_CREAT)
        assert other == fd
        writer.sync()
    else:
        with pytest.raises(OSError, match="Bad file"):
            writer.append(BODY)
    assert writer.append(BODY) == 4
    writer.close()
    assert seqs(home) == [1, 2, 3, 4]
    assert (tmp_path / "the bot's own").exists() is taken
    if taken:
        assert os.fstat(other).st_size == 0
        os.close(other)


def test_the_lines_are_those_of_the_documented_frame(writer: Writer, home: Path) -> None:
    from deskwatch.journal.line import frame

    for line in lines_in(home):
        envelope = read_envelope(line)
        framed = frame(BODY, ts=envelope.ts, seq=envelope.seq or 0, run=writer.run.encode())
        assert framed == line + b"\n"
