"""Following journals: each line once, in order, whatever happens to the files meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.encoding import encode
from deskwatch.events import BotStopped
from deskwatch.journal import START, Follower, Position, Writer, WriterFollower, names, read_envelope
from deskwatch.journal.line import MAX_LINE_BYTES
from tests.lines import lines_in, write

BODY = encode(BotStopped(reason="closed"))


@pytest.fixture
def folder(home: Path) -> Path:
    made = names.writer_folder(home, "arb-1", "main")
    made.mkdir(parents=True)
    return made


@pytest.fixture
def one(home: Path) -> Iterator[WriterFollower]:
    follower = WriterFollower(home, "arb-1", "main")
    yield follower
    follower.close()


def append(folder: Path, first_seq: int, data: bytes) -> None:
    with (folder / names.segment_name(first_seq)).open("ab") as file:
        file.write(data)


def lines_of(follower: WriterFollower) -> list[bytes]:
    """All that can be read now; the position after each batch is where the next begins."""
    found: list[bytes] = []
    while (batch := follower.read()) is not None:
        assert batch.position == follower.position
        found += batch.lines
    return found


def test_a_journal_that_is_not_there_yet_has_no_lines(one: WriterFollower, home: Path) -> None:
    assert one.read() is None
    assert one.position == START
    assert one.end() == START
    assert one.backlog_bytes() == 0
    write(home, [BotStopped(reason="closed")])
    assert len(lines_of(one)) == 1


def test_a_line_is_read_once_it_is_whole(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"first\nsec")
    assert lines_of(one) == [b"first"]
    assert one.read() is None
    append(folder, 1, b"ond\n")
    assert lines_of(one) == [b"second"]
    assert one.read() is None


def test_reading_goes_on_in_the_next_segment(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"a\n")
    append(folder, 2, b"b\n")
    assert lines_of(one) == [b"a", b"b"]
    append(folder, 3, b"c\n")
    assert lines_of(one) == [b"c"]
    assert one.position == Position(3, 2)


def test_a_torn_line_before_another_segment_is_passed_on(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"a\ntorn")
    assert lines_of(one) == [b"a"]
    append(folder, 2, b"b\n")
    assert lines_of(one) == [b"torn", b"b"]


def test_an_empty_segment_is_waited_in_and_then_left(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"a\n")
    append(folder, 2, b"")
    assert lines_of(one) == [b"a"]
    assert one.position == Position(2, 0)
    append(folder, 3, b"b\n")
    assert lines_of(one) == [b"b"]


def test_an_endless_line_does_not_hold_up_what_follows(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"x" * (MAX_LINE_BYTES - 1))
    assert one.read() is None
    append(folder, 1, b"x")
    assert [len(line) for line in lines_of(one)] == [MAX_LINE_BYTES]
    append(folder, 1, b"rest\nnext\n")
    assert lines_of(one) == [b"rest", b"next"]


@pytest.mark.parametrize("length", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 7, 5 * MAX_LINE_BYTES + 3])
def test_a_line_that_is_too_long_is_cut_alike_while_it_is_written_and_later(
    one: WriterFollower, home: Path, folder: Path, length: int
) -> None:
    """However its bytes come, and however much is read at once."""
    parts = [b"before\n", b"x" * (length // 3), b"x" * (length - length // 3), b"\nafter\n"]
    slow = []
    for part in parts:
        append(folder, 1, part)
        slow += lines_of(one)
    pieces = [MAX_LINE_BYTES] * (length // MAX_LINE_BYTES) + [length % MAX_LINE_BYTES]
    assert [len(line) for line in slow] == [6, *pieces, 5]
    for read_bytes in (1, 3 * MAX_LINE_BYTES, 10**6):
        fast = WriterFollower(home, "arb-1", "main")
        found = []
        while (batch := fast.read(read_bytes)) is not None:
            found += batch.lines
        fast.close()
        assert found == slow


def test_a_segment_that_vanished_is_passed_over(home: Path, folder: Path) -> None:
    append(folder, 10, b"b\n")
    follower = WriterFollower(home, "arb-1", "main", Position(3, 17))
    assert lines_of(follower) == [b"b"]
    follower.close()


def test_where_nothing_is_left_a_position_is_kept(home: Path, folder: Path) -> None:
    follower = WriterFollower(home, "arb-1", "main", Position(3, 17))
    assert lines_of(follower) == []
    assert follower.position == Position(3, 17)
    assert follower.backlog_bytes() == 0


def test_a_segment_removed_while_it_is_open_is_read_to_its_end(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"a\n")
    assert lines_of(one) == [b"a"]
    append(folder, 1, b"b\n")
    (folder / names.segment_name(1)).unlink()
    append(folder, 2, b"c\n")
    assert lines_of(one) == [b"b", b"c"]


def test_a_line_mended_by_a_restarted_writer_is_not_seen(one: WriterFollower, home: Path, folder: Path) -> None:
    write(home, [BotStopped(reason="a")])
    append(folder, 1, b'{"v":1,"torn')
    assert len(lines_of(one)) == 1
    write(home, [BotStopped(reason="b")])
    assert [read_envelope(line).seq for line in lines_of(one)] == [2]


def test_the_end_is_behind_the_last_whole_line(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"torn" * MAX_LINE_BYTES)
    assert one.end() == Position(1, 0)
    append(folder, 2, b"a\nb\n" + b"torn" * MAX_LINE_BYTES)
    assert one.end() == Position(2, 4)
    append(folder, 3, b"")
    assert one.end() == Position(3, 0)


def test_the_backlog_counts_unread_bytes_of_all_segments(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"aaa\n")
    append(folder, 2, b"bb\n")
    assert one.backlog_bytes() == 7
    one.read()
    assert one.backlog_bytes() == 3
    lines_of(one)
    assert one.backlog_bytes() == 0


def test_a_closed_follower_opens_again_where_it_was(one: WriterFollower, folder: Path) -> None:
    append(folder, 1, b"a\nb\n")
    assert lines_of(one) == [b"a", b"b"]
    one.close()
    append(folder, 1, b"c\n")
    assert lines_of(one) == [b"c"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.binary(max_size=8).map(lambda data: data.replace(b"\n", b""))),
        st.tuples(st.just("roll"), st.none()),
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("resume"), st.none()),
    ),
    max_size=30,
)


@given(steps=steps)
def test_any_split_of_reads_writes_and_resumptions_gives_each_line_once(steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        folder = names.writer_folder(Path(home), "arb-1", "main")
        folder.mkdir(parents=True)
        follower = WriterFollower(Path(home), "arb-1", "main")
        written: list[bytes] = []
        found: list[bytes] = []
        current = 1
        for action, value in steps:
            if action == "write":
                line = b"%d %b" % (len(written), value)
                append(folder, current, line[:3])
                found += lines_of(follower) if len(line) % 2 else []
                append(folder, current, line[3:] + b"\n")
                written.append(line)
            elif action == "roll":
                current = max(current + 1, len(written) + 1)
                append(folder, current, b"")
            elif action == "read":
                found += lines_of(follower)
            elif action == "resume":
                follower.close()
                follower = WriterFollower(Path(home), "arb-1", "main", follower.position)
        found += lines_of(follower)
        follower.close()
        assert found == written


@given(cuts=st.lists(st.integers(0, 40), max_size=6), size=st.integers(100, 2000))
def test_reading_from_any_position_that_was_reached_gives_the_rest(cuts: list[int], size: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        writer = Writer(names.writer_folder(Path(home), "arb-1", "main"), segment_bytes=size).open()
        follower = WriterFollower(Path(home), "arb-1", "main")
        reached: list[tuple[Position, int]] = [(START, 0)]
        read = 0
        for count in sorted(cuts):
            while writer.next_seq <= count:
                writer.append(BODY)
            while (batch := follower.read()) is not None:
                read += len(batch.lines)
                reached.append((batch.position, read))
        writer.close()
        everything = lines_in(Path(home))
        for position, count in reached:
            again = WriterFollower(Path(home), "arb-1", "main", position)
            assert lines_of(again) == everything[count:]
            again.close()
        assert follower.position == follower.end() or not everything
        follower.close()


@pytest.fixture
def follower(home: Path) -> Iterator[Follower]:
    opened = Follower(home).open()
    opened.discover()
    yield opened
    opened.close()


def read_all(follower: Follower) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    while batches := list(follower.read()):
        for batch in batches:
            counts[batch.bot, batch.writer] = counts.get((batch.bot, batch.writer), 0) + len(batch.lines)
    return counts


def test_new_bots_and_writers_are_found_and_read_from_their_start(follower: Follower, home: Path) -> None:
    stopped = BotStopped(reason="closed")
    assert read_all(follower) == {}
    write(home, [stopped], bot="arb-1")
    assert follower.notifier.drain() is True
    follower.discover()
    assert read_all(follower) == {("arb-1", "main"): 1}
    write(home, [stopped, stopped], bot="arb-1", writer="feeder")
    write(home, [stopped], bot="arb-2")
    assert follower.notifier.drain() is True
    follower.discover()
    follower.discover()
    assert read_all(follower) == {("arb-1", "feeder"): 2, ("arb-2", "main"): 1}


def test_an_append_to_a_followed_journal_wakes_the_follower(follower: Follower, home: Path) -> None:
    write(home, [BotStopped(reason="closed")])
    follower.discover()
    follower.notifier.drain()
    write(home, [BotStopped(reason="closed")])
    assert follower.notifier.wait(5) is True


def test_positions_ends_and_backlog_agree_when_all_is_read(follower: Follower, home: Path) -> None:
    for bot in ("arb-1", "arb-2"):
        write(home, [BotStopped(reason="closed")] * 3, bot=bot)
    follower.discover()
    assert follower.positions() == {("arb-1", "main"): START, ("arb-2", "main"): START}
    assert follower.backlog_bytes() > 0
    read_all(follower)
    assert follower.positions() == follower.ends()
    assert follower.backlog_bytes() == 0


def test_a_follower_resumes_where_it_is_told_and_rewinds(home: Path) -> None:
    write(home, [BotStopped(reason="closed")] * 3)
    first = Follower(home).open()
    first.discover()
    (batch,) = first.read(1)
    first.rewind("arb-1", "main", batch.start)
    assert read_all(first) == {("arb-1", "main"): 3}
    resumed = Follower(home, first.positions()).open()
    resumed.discover()
    assert read_all(resumed) == {}
    first.close()
    resumed.close()


def test_a_reader_that_stops_early_starves_no_writer(home: Path):
    """Taking one batch at a time from many writers with a backlog, each has its turn."""
    for name in ("a", "b", "c"):
        with_backlog = Writer(names.writer_folder(home, "bot", name)).open()
        for _ in range(2000):
            with_backlog.append(b'{"type":"x","pad":"%b"}' % (b"." * 200))
        with_backlog.close()
    follower = Follower(home).open()
    follower.discover()
    turns = [next(iter(follower.read(65536))).writer for _ in range(6)]
    follower.close()
    assert sorted(turns) == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize("offset", [10_000, 70])
def test_a_position_that_the_journal_does_not_have_is_mended(folder: Path, home: Path, offset: int) -> None:
    """After a power loss the journal may be shorter than a checkpoint says: what comes then is read all the same."""
    append(folder, 1, b"a" * 60 + b"\n" + b"b" * 60 + b"\n")
    follower = WriterFollower(home, "arb-1", "main", Position(1, offset))
    first = follower.read()
    append(folder, 1, b"new\n")
    batch = follower.read() if first is None or not first.lines else first
    follower.close()
    assert batch is not None
    assert batch.lines == ([b"new"] if offset == 10_000 else [b"b" * 60])


def test_a_journal_that_cant_be_read_holds_up_no_other(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once and known as unreadable; the others are read."""
    write(home, [BotStopped(reason="closed")], bot="sound")
    broken = names.writer_folder(home, "broken", "main")
    (broken / names.segment_name(1)).mkdir(parents=True)
    follower = Follower(home).open()
    follower.discover()
    assert list(follower.ends()) == [("sound", "main")]
    assert [batch.bot for _ in range(3) for batch in follower.read()] == ["sound"]
    assert follower.unreadable == {("broken", "main")}
    assert len(caplog.records) == 1
    follower.close()
