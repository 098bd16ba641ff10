"""Looking only at the journals that changed: nothing is missed, and the others cost nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch.events import LogRecorded
from deskwatch.journal import Follower, WriterFollower, names
from deskwatch.journal import notify as notify_module
from tests.lines import write
from tests.waiting import eventually

NOTE = LogRecorded(message="m" * 100, levelname="INFO", name="n")
BOTS = ("arb-1", "arb-2", "arb-3")


@pytest.fixture
def looks(home: Path, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each bot's journal was looked at: those of this home, as another test may have left a reader behind."""
    found: Counter[str] = Counter()
    read = WriterFollower.read

    def count(self: WriterFollower, max_bytes: int = 0) -> object:
        found[self.bot] += self.folder.is_relative_to(home)
        return read(self, max_bytes)

    monkeypatch.setattr(WriterFollower, "read", count)
    return found


@pytest.fixture
def follower(home: Path) -> Iterator[Follower]:
    for bot in BOTS:
        write(home, [NOTE], bot=bot)
    one = Follower(home).open()
    one.discover()
    yield one
    one.close()


def read_changed(follower: Follower) -> Counter[str]:
    """Lines of each bot that are read until nothing is due."""
    found: Counter[str] = Counter()
    follower.notifier.drain()
    while batches := list(follower.read_changed(4096)):
        found.update({batch.bot: len(batch.lines) for batch in batches})
    return found


def test_what_was_there_before_is_read_once(follower: Follower) -> None:
    assert read_changed(follower) == dict.fromkeys(BOTS, 1)
    assert read_changed(follower) == {}


def test_only_the_journal_that_grew_is_looked_at(follower: Follower, home: Path, looks: Counter[str]) -> None:
    read_changed(follower)
    looks.clear()
    write(home, [NOTE] * 3, bot="arb-2")
    assert read_changed(follower) == {"arb-2": 3}
    assert set(+looks) == {"arb-2"}


def test_a_journal_that_has_more_than_one_look_takes_is_read_to_its_end(follower: Follower, home: Path) -> None:
    read_changed(follower)
    write(home, [NOTE] * 2000, bot="arb-3")
    follower.notifier.drain()
    assert sum(len(batch.lines) for batch in follower.read_changed(4096)) < 2000
    assert sum(read_changed(follower).values()) > 0
    assert follower.backlog_bytes() == 0


def test_a_reader_that_stops_early_finds_the_rest_next_time(follower: Follower) -> None:
    follower.notifier.drain()
    first = next(follower.read_changed())
    assert read_changed(follower) == dict.fromkeys(set(BOTS) - {first.bot}, 1)


def test_a_look_at_all_that_finds_something_is_followed_by_one_for_the_rest(follower: Follower, home: Path) -> None:
    read_changed(follower)
    write(home, [NOTE] * 2000, bot="arb-1")
    follower.notifier.drain()
    follower.notifier.changed.clear()  # as if the kernel had not told
    assert sum(len(batch.lines) for batch in follower.read(4096)) < 2000
    read_changed(follower)
    assert follower.backlog_bytes() == 0


def test_a_journal_that_cant_be_read_is_left_to_the_next_look_at_all(
    follower: Follower, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_changed(follower)
    write(home, [NOTE], bot="arb-1")
    with monkeypatch.context() as broken:
        broken.setattr(WriterFollower, "read", lambda *_: (_ for _ in ()).throw(OSError))
        assert read_changed(follower) == {}
        assert follower.unreadable == {("arb-1", "main")}
    assert [batch.bot for batch in follower.read()] == ["arb-1"]
    assert follower.unreadable == set()


def test_where_the_kernel_lost_count_all_are_looked_at(
    follower: Follower, home: Path, looks: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_changed(follower)
    looks.clear()
    monkeypatch.setattr(notify_module, "_IN_Q_OVERFLOW", 0x2)  # what an append tells
    write(home, [NOTE], bot="arb-1")
    assert read_changed(follower) == {"arb-1": 1}
    assert set(+looks) == set(BOTS)


def test_without_notifications_all_are_looked_at(follower: Follower, home: Path, looks: Counter[str]) -> None:
    follower.notifier.close()
    read_changed(follower)
    write(home, [NOTE], bot="arb-1")
    looks.clear()
    assert read_changed(follower) == {"arb-1": 1}
    assert set(+looks) == set(BOTS)


def test_a_new_segment_is_a_change(follower: Follower, home: Path) -> None:
    read_changed(follower)
    folder = names.writer_folder(home, "arb-1", "main")
    (folder / names.segment_name(2)).write_bytes(b"a line\n")
    assert eventually(lambda: read_changed(follower)) == {"arb-1": 1}


@given(rounds=st.lists(st.lists(st.sampled_from([*BOTS, "arb-4"]), max_size=6), max_size=8))
@settings(max_examples=25)
def test_whoever_writes_when_every_line_is_read_once(rounds: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        follower = Follower(home).open()
        found: Counter[str] = Counter()
        try:
            for bots in rounds:
                for bot in bots:
                    write(home, [NOTE], bot=bot)
                if follower.notifier.drain():
                    follower.discover()
                for batch in follower.read_changed():
                    found[batch.bot] += len(batch.lines)
            assert found == Counter(bot for bots in rounds for bot in bots)
        finally:
            follower.close()
