"""Which segments go: oldest first, whole ones, and never one that is needed within the budget."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.events import LogRecorded
from deskwatch.journal import Position, names, retention
from deskwatch.journal.retention import Keep, Limits, Segment, expendable
from tests.lines import segment_files, write

NOW = 1_000_000.0
MAIN = ("arb-1", "main")
EASY = Keep(seconds=1e9, bytes=10**12, budget_bytes=10**12)


def segment(first_seq: int, *, size: int = 10, age: float = 0.0, newest: bool = False, writer: str = "main") -> Segment:
    return Segment(bot="arb-1", writer=writer, first_seq=first_seq, bytes=size, modified=NOW - age, is_newest=newest)


THREE = [segment(1, age=30), segment(10, age=20), segment(20, age=10, newest=True)]
AT_END = {MAIN: Position(20, 5)}


def gone(segments: list[Segment], keep: Keep, needed: Position, folded: Position = AT_END[MAIN]) -> list[int]:
    taken = expendable(segments, keep, needed={MAIN: needed}, folded={MAIN: folded}, now=NOW)
    return [one.first_seq for one in taken]


def test_a_segment_goes_when_it_is_old_and_nobody_needs_it() -> None:
    keep = Keep(seconds=15, bytes=10**9, budget_bytes=10**9)
    assert gone(THREE, keep, Position(20, 0)) == [1, 10]
    assert gone(THREE, keep, Position(10, 4)) == [1]
    assert gone(THREE, keep, Position(1, 10)) == []


def test_beyond_the_size_what_nobody_needs_goes_whatever_its_age() -> None:
    assert gone(THREE, Keep(seconds=1e9, bytes=25, budget_bytes=100), Position(20, 0)) == [1]
    assert gone(THREE, Keep(seconds=1e9, bytes=0, budget_bytes=100), Position(10, 0)) == [1]


def test_beyond_the_budget_goes_what_a_sink_needs_but_not_what_the_feed_has_not_folded() -> None:
    keep = Keep(seconds=1e9, bytes=5, budget_bytes=15)
    assert gone(THREE, keep, Position()) == [1, 10]
    assert gone(THREE, keep, Position(), Position(10, 0)) == [1]
    assert gone(THREE, keep, Position(), Position()) == []


def test_the_newest_segment_always_stays() -> None:
    keep = Keep(seconds=0, bytes=0, budget_bytes=0)
    assert gone([segment(1, age=99, newest=True)], keep, Position(1, 10), Position(1, 10)) == []


def test_of_several_writers_the_oldest_goes_first() -> None:
    other = ("arb-1", "hedger")
    segments = [
        segment(1, age=20),
        segment(5, age=1, newest=True),
        segment(1, age=30, writer="hedger"),
        segment(7, age=2, newest=True, writer="hedger"),
    ]
    ends = {MAIN: Position(5, 0), other: Position(7, 0)}
    taken = expendable(segments, Keep(seconds=1e9, bytes=30, budget_bytes=99), needed=ends, folded=ends, now=NOW)
    assert [one.key for one in taken] == [other]


@given(
    sizes=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 100)), min_size=1, max_size=12),
    needed=st.integers(0, 13),
    ahead=st.integers(0, 13),
    limits=st.tuples(st.integers(0, 100), st.integers(0, 300), st.integers(0, 300)),
)
def test_what_goes_is_a_prefix_and_what_is_needed_goes_at_the_budget_only(
    sizes: list[tuple[int, int]], needed: int, ahead: int, limits: tuple[int, int, int]
) -> None:
    segments = [
        segment(number, size=size, age=age, newest=number == len(sizes)) for number, (size, age) in enumerate(sizes, 1)
    ]
    keep = Keep(seconds=limits[0], bytes=limits[1], budget_bytes=limits[1] + limits[2])
    folded = min(needed + ahead, len(sizes))
    taken = gone(segments, keep, Position(needed), Position(folded))
    assert taken == list(range(1, len(taken) + 1))
    assert len(taken) < max(folded, 1)
    left = sum(one.bytes for one in segments[len(taken) :])
    if len(taken) >= max(needed, 1):
        assert left + segments[len(taken) - 1].bytes > keep.budget_bytes
    if left > keep.budget_bytes:
        assert len(taken) == max(folded - 1, 0)


def test_segments_are_listed_with_their_sizes_and_removed_one_by_one(home: Path) -> None:
    write(home, [LogRecorded(message="m", levelname="INFO", name="n")] * 3)
    folder = names.writer_folder(home, "arb-1", "main")
    (folder / names.segment_name(4)).write_bytes(b"{}\n")
    listed = retention.list_segments(home)
    assert [(one.key, one.first_seq, one.is_newest) for one in listed] == [(MAIN, 1, False), (MAIN, 4, True)]
    assert listed[1].bytes == 3
    retention.remove(home, listed[0])
    retention.remove(home, listed[0])  # after a crash, say
    assert segment_files(home) == [folder / names.segment_name(4)]


def test_control_has_limits_of_its_own() -> None:
    limits = Limits()
    assert limits.of("control") is limits.control
    assert limits.of("main") is limits.of("hedger") is limits.bots
    assert limits.control.seconds > limits.bots.seconds
