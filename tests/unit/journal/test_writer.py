"""The writer: what it leaves on disk, over restarts, rolls, threads and forks."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.encoding import encode
from deskwatch.errors import JournalError, WriterLocked
from deskwatch.events import BotStopped, Event
from deskwatch.journal import Writer, names, read, read_envelope
from deskwatch.journal import writer as writer_module
from tests import strategies
from tests.lines import START_NS, lines_in, segment_files, type_of

BODY = encode(BotStopped(reason="closed"))


@pytest.fixture
def folder(home: Path) -> Path:
    return names.writer_folder(home, "arb-1", "main")


@pytest.fixture
def writer(folder: Path) -> Iterator[Writer]:
    one = Writer(folder, segment_bytes=1000).open()
    yield one
    one.close()


def seqs(home: Path) -> list[int | None]:
    return [read_envelope(line).seq for line in lines_in(home)]


def test_a_line_is_in_the_file_when_append_returns(writer: Writer, home: Path) -> None:
    assert writer.append(BODY) == 1
    (line,) = lines_in(home)
    record = read(line, "arb-1", "main")
    assert (record.seq, record.run, record.event) == (1, writer.run, BotStopped(reason="closed"))


def test_folders_and_files_are_the_owners_only(writer: Writer, folder: Path, home: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600, 0o600]


def test_seq_goes_on_without_a_gap_over_restarts_and_run_changes(folder: Path, home: Path) -> None:
    runs = set()
    for _ in range(4):
        one = Writer(folder).open()
        runs.add(one.run)
        one.append(BODY)
        one.append(BODY)
        one.close()
    assert seqs(home) == list(range(1, 9))
    assert len(runs) == 4


def test_segments_roll_by_size_and_are_named_by_their_first_seq(writer: Writer, home: Path) -> None:
    for _ in range(40):
        writer.append(BODY)
    files = segment_files(home)
    assert len(files) > 3
    for file in files:
        first, *_ = file.read_bytes().splitlines()
        assert file.name == names.segment_name(read(first, "b", "main").seq or 0)
    assert all(1000 <= file.stat().st_size < 1200 for file in files[:-1])
    assert seqs(home) == list(range(1, 41))


@pytest.mark.parametrize("torn", [b"{", b'{"v":1,"ts":17', b"\x00" * 5000], ids=["brace", "half", "zeros"])
def test_a_torn_last_line_is_mended(torn: bytes, folder: Path, home: Path) -> None:
    one = Writer(folder).open()
    one.append(BODY)
    one.close()
    with segment_files(home)[-1].open("ab") as file:
        file.write(torn)
    again = Writer(folder).open()
    assert again.append(BODY) == 2
    again.close()
    assert seqs(home) == [1, 2]


def test_a_garbage_tail_never_lets_a_seq_be_given_twice(folder: Path, home: Path) -> None:
    one = Writer(folder).open()
    one.append(BODY)
    one.close()
    with segment_files(home)[-1].open("ab") as file:
        file.write(b"garbage\nmore garbage\n")
    again = Writer(folder).open()
    assert again.append(BODY) == 4
    again.close()


def test_a_first_line_torn_alone_in_a_new_segment_is_mended(folder: Path, home: Path) -> None:
    one = Writer(folder, segment_bytes=1).open()
    one.append(BODY)
    one.append(BODY)
    one.close()
    segment_files(home)[-1].write_bytes(b'{"v":1')
    again = Writer(folder).open()
    assert again.append(BODY) == 2
    again.close()
    assert seqs(home) == [1, 2]


def test_an_empty_segment_that_is_the_only_one_left_is_gone_on_with(folder: Path, home: Path) -> None:
    folder.mkdir(parents=True)
    (folder / names.segment_name(500)).touch()
    one = Writer(folder).open()
    assert one.append(BODY) == 500
    one.close()
    assert [file.name for file in segment_files(home)] == [names.segment_name(500)]


def test_a_second_writer_is_refused_and_told_who_writes(writer: Writer, folder: Path) -> None:
    with pytest.raises(WriterLocked, match="another writer name") as caught:
        Writer(folder).open()
    assert caught.value.holder == f"pid {os.getpid()} on {socket.gethostname()}"
    writer.close()
    Writer(folder).open().close()


def test_a_closed_writer_refuses_and_closing_twice_is_fine(writer: Writer) -> None:
    writer.append(BODY)
    writer.close()
    writer.close()
    writer.sync()
    with pytest.raises(JournalError, match="closed"):
        writer.append(BODY)


def in_child(action: str, writer: Writer) -> int:
    """Exit status of a forked child: 0 where the journal refused it."""
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # coverage doesn't see the child's end
        try:
            if action == "append":
                writer.append(BODY)
            writer.close()
            os._exit(1 if action == "append" else 0)
        except JournalError:
            os._exit(0)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("action", ["append", "close"])
def test_a_forked_child_neither_writes_nor_releases_its_parents_lock(
    action: str, writer: Writer, folder: Path, home: Path
) -> None:
    writer.append(BODY)
    assert in_child(action, writer) == 0
    with pytest.raises(WriterLocked):
        Writer(folder).open()
    assert writer.append(BODY) == 2
    assert seqs(home) == [1, 2]


def test_a_writer_that_was_left_to_the_parent_refuses(writer: Writer) -> None:
    for _ in range(20):
        writer.append(BODY)
    writer.abandon()
    with pytest.raises(JournalError, match="parent"):
        writer.append(BODY)
    writer.close()


def test_many_threads_write_whole_lines_in_the_order_of_seq(writer: Writer, home: Path) -> None:
    given_seqs: list[list[int]] = [[] for _ in range(8)]

    def work(mine: list[int]) -> None:
        mine.extend(writer.append(BODY) for _ in range(100))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in given_seqs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seqs(home) == list(range(1, 801))
    assert sorted(seq for mine in given_seqs for seq in mine) == list(range(1, 801))
    assert all(mine == sorted(mine) for mine in given_seqs)
    assert times(home) == sorted(set(times(home)))


def times(home: Path) -> list[int]:
    return [read(line, "arb-1", "main").ts for line in lines_in(home)]


@pytest.mark.parametrize(
    ("clock", "written"),
    [
        ([0, 0, 0], [0, 1, 2]),
        ([0, -1, -2], [0, 1, 2]),
        ([0, -999_999_999, 5], [0, 1, 5]),
        ([0, -1_000_000_000, -999_999_000], [0, -1_000_000_000, -999_999_000]),
        ([0, -3600 * 10**9, -3600 * 10**9], [0, -3600 * 10**9, -3600 * 10**9 + 1]),
    ],
    ids=["stands still", "jitters back", "steps back less than a second", "steps back a second", "steps back an hour"],
)
def test_time_increases_unless_the_clock_steps_back_far(
    clock: list[int], written: list[int], writer: Writer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(clock)
    monkeypatch.setattr(time, "time_ns", lambda: START_NS + next(ticks))
    for _ in clock:
        writer.append(BODY)
    assert [ts - START_NS for ts in times(home)] == written


def test_time_goes_on_increasing_after_a_restart(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START_NS)
    for _ in range(3):
        one = Writer(folder).open()
        one.append(BODY)
        one.close()
    assert times(home) == [START_NS, START_NS + 1, START_NS + 2]


def test_durable_lines_are_synced_before_append_returns(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    writer.append(BODY)
    assert synced == []
    writer.append(BODY, durable=True)
    assert len(synced) == 1
    writer.sync()
    assert len(synced) == 1


def test_segments_that_were_rolled_meanwhile_are_synced_too(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    for _ in range(20):
        writer.append(BODY)
    rolled = len(names.segments(writer.folder)) - 1
    writer.sync()
    assert len(synced) == rolled + 1


@given(runs=st.lists(st.tuples(st.lists(strategies.any_event, max_size=4), st.binary(max_size=20))))
def test_whatever_was_torn_between_runs_every_whole_line_is_kept(runs: list[tuple[list[Event], bytes]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        folder = names.writer_folder(Path(home), "arb-1", "main")
        expected = []
        for events, torn in runs:
            one = Writer(folder, segment_bytes=700).open()
            for event in events:
                one.append(encode(event))
                expected.append(type_of(event))
            one.close()
            with segment_files(Path(home))[-1].open("ab") as file:
                file.write(torn.replace(b"\n", b""))
        Writer(folder).open().close()
        assert [read_envelope(line).type for line in lines_in(Path(home))] == expected
        assert seqs(Path(home)) == list(range(1, len(expected) + 1))


def test_the_default_segment_is_64_mib() -> None:
    assert writer_module.SEGMENT_BYTES == 64 * 1024 * 1024
