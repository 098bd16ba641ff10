"""The Loki sink where a journal is not what it read: after a power cut, a wipe, a change under a saved plan."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from deskwatch.events import Event, LogRecorded
from deskwatch.journal import Position, names
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki import LokiSink
from deskwatch.sinks.loki.clock import LokiClock
from deskwatch.sinks.loki.lanes import HOUR_NS, Lanes
from deskwatch.sinks.loki.plan import Planner
from deskwatch.sinks.loki.reading import Item
from tests.fakes.loki import FakeLoki, running
from tests.lines import segment_files, write
from tests.shipping import HOUR, QUICK, journaled, quarantined, shipped, write_at, writer
from tests.waiting import eventually_async

OTHERS = ("arb-1", "arb-2")


@pytest.fixture
def loki() -> Iterator[FakeLoki]:
    with running() as one:
        yield one


def notes(count: int, name: str = "n") -> list[Event]:
    return [LogRecorded(message=f"note {number}", levelname="INFO", name=name) for number in range(count)]


async def ship(home: Path, loki: FakeLoki) -> LokiSink:
    """Run a sink until Loki has all that the journals hold."""
    async with LokiSink(home, loki.url, pace=QUICK) as one:
        await eventually_async(lambda: not journaled(home) - shipped(loki) and one.backlog_bytes() == 0)
    return one


def cut(home: Path, kept: int) -> None:
    """What a disk does that kept these lines only."""
    segment = segment_files(home)[-1]
    lines = segment.read_bytes().splitlines(keepends=True)
    os.truncate(segment, len(b"".join(lines[:kept])))


def planner(home: Path) -> tuple[Planner, Cursor]:
    cursor = Cursor(home, "loki")
    cursor.load()
    one = Planner(home, cursor, Lanes(cursor, LokiClock()))
    one.follower.open()
    return one, cursor


def drain(one: Planner, cursor: Cursor) -> list[bytes]:
    """Lines of pushes that all come through."""
    lines = []
    while items := one.next_items():
        lines += [item.line for item in items]
        cursor.settle(delivered=len(items), quarantined=0, late=0)
    return lines


@pytest.mark.parametrize("kept", [0, 1, 30, 49])
@pytest.mark.parametrize("new", [1, 40])
async def test_after_a_power_cut_each_new_line_is_shipped_and_no_old_one_twice(
    kept: int, new: int, home: Path, loki: FakeLoki
) -> None:
    """The disk lost lines that Loki has, and the bot is back before the sidecar. All are old, so they are late."""
    with writer(home) as one:
        write_at(one, [time.time() - 200 * HOUR + n for n in range(50)])
    await ship(home, loki)
    before = shipped(loki)
    cut(home, kept)
    write(home, notes(new))
    again = await ship(home, loki)
    assert shipped(loki) == before + (journaled(home) - before)
    assert again.rereads == 1
    assert (await ship(home, loki)).rereads == 0


def test_a_cut_at_a_lines_end_is_found_out_though_the_new_lines_are_just_as_long(home: Path) -> None:
    def lines(run: str, *seqs: int) -> list[bytes]:
        return [b'{"ts":%d,"seq":%d,"run":"%s","type":"moon_landed"}' % (now, seq, run.encode()) for seq in seqs]

    def put(*all_lines: bytes) -> None:
        (folder / names.segment_name(1)).write_bytes(b"".join(line + b"\n" for line in all_lines))

    now = time.time_ns()
    folder = names.writer_folder(home, "arb-1", "main")
    folder.mkdir(parents=True)
    old, new = lines("a", *range(1, 10)), lines("b", *range(5, 10))
    put(*old)
    one, cursor = planner(home)
    drain(one, cursor)
    cursor.save()
    one.close()
    put(*old[:4], *new)
    assert segment_files(home)[0].stat().st_size == cursor.positions["arb-1", "main"].offset
    one, cursor = planner(home)
    assert drain(one, cursor) == new
    one.close()


async def test_a_journal_that_was_made_anew_is_shipped_from_its_start(home: Path, loki: FakeLoki) -> None:
    write(home, notes(100))
    await ship(home, loki)
    shutil.rmtree(home / "journal" / "arb-1")
    write(home, notes(40, "fresh"))
    again = await ship(home, loki)
    assert shipped(loki).total() == 140
    assert again.rereads == 1


async def test_a_journal_that_was_made_anew_while_the_sink_runs_is_shipped_from_its_start(
    home: Path, loki: FakeLoki
) -> None:
    write(home, notes(100))
    async with LokiSink(home, loki.url, pace=QUICK) as one:
        await eventually_async(lambda: one.delivered == 100)
        shutil.rmtree(home / "journal" / "arb-1")
        write(home, notes(40, "fresh"))
        await eventually_async(lambda: one.delivered == 140)
    assert shipped(loki).total() == 140


async def test_the_newest_segments_are_gone_and_what_is_written_then_is_shipped(home: Path, loki: FakeLoki) -> None:
    write(home, notes(20))
    folder = names.writer_folder(home, "arb-1", "main")
    lines = segment_files(home)[0].read_bytes().splitlines(keepends=True)
    for first in (0, 10):
        (folder / names.segment_name(first + 1)).write_bytes(b"".join(lines[first : first + 10]))
    await ship(home, loki)
    (folder / names.segment_name(11)).unlink()
    write(home, notes(5, "fresh"))
    again = await ship(home, loki)
    assert shipped(loki).total() == 25
    assert (loki.repeats, again.rereads) == (0, 1)


async def test_garbage_that_lies_where_other_garbage_lay_is_quarantined_too(home: Path, loki: FakeLoki) -> None:
    folder = names.writer_folder(home, "arb-1", "main")
    folder.mkdir(parents=True)
    for number, text in enumerate((b"garbage\n", b"rubbish\n"), 1):
        (folder / names.segment_name(1)).write_bytes(text)
        async with LokiSink(home, loki.url, pace=QUICK) as one:
            await eventually_async(partial(_has_quarantined, one, number))
    assert [row["line"] for row in quarantined(home)] == ["garbage", "rubbish"]


def test_a_vanished_segment_before_an_empty_one_is_told_once(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home, notes(5))
    one, cursor = planner(home)
    drain(one, cursor)
    one.close()
    cursor.save()
    folder = names.writer_folder(home, "arb-1", "main")
    (folder / names.segment_name(1)).unlink()
    (folder / names.segment_name(100)).touch()
    one, cursor = planner(home)
    for _ in range(5):
        assert one.next_items() == []
    assert cursor.positions == {("arb-1", "main"): Position(100, 0)}
    assert [record.message for record in caplog.records].count("the journal is not as it was left") == 1
    assert one.rereads == 0
    one.close()


def test_what_retention_removed_is_no_fault(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home, notes(5))
    one, cursor = planner(home)
    drain(one, cursor)
    one.close()
    cursor.save()
    folder = names.writer_folder(home, "arb-1", "main")
    (folder / names.segment_name(6)).touch()
    (folder / names.segment_name(1)).unlink()
    one, cursor = planner(home)
    assert one.next_items() == []
    assert cursor.positions == {("arb-1", "main"): Position(6, 0)}
    assert "not as it was left" not in caplog.text
    one.close()


def _has_quarantined(one: LokiSink, lines: int) -> bool:
    return one.quarantined == lines


def _unreadable(segment: Path) -> None:
    segment.unlink()
    segment.mkdir()


def _renamed(segment: Path) -> None:
    segment.rename(segment.with_name(names.segment_name(2)))


def _rewritten(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes().replace(b"note", b"nota"))


@pytest.mark.parametrize("change", [_unreadable, _renamed, _rewritten])
def test_one_journal_that_changed_under_a_plan_leaves_the_others_part_of_it_as_it_was(
    change: Callable[[Path], None], home: Path
) -> None:
    def late_times(items: list[Item]) -> list[int]:
        return [item.entry.ts for item in items if item.part.bot == "arb-2" and item.entry is not None]

    for bot in OTHERS:
        write(home, notes(3), bot=bot)
    one, cursor = planner(home)
    cursor.newest = {(bot, "logs"): time.time_ns() + 2 * HOUR_NS for bot in OTHERS}
    planned = one.next_items()
    assert all(item.entry is not None and item.entry.stream[2] == "late" for item in planned)
    cursor.save()
    one.close()
    change(segment_files(home)[0])
    one, cursor = planner(home)
    again = one.items_of_plan()
    assert {item.part.bot for item in again} == {"arb-2"}
    assert late_times(again) == late_times(planned) != []
    assert [part.bot for part in cursor.plan] == ["arb-2"]
    one.close()


async def test_an_unreadable_journal_at_a_restart_holds_up_no_other(home: Path, loki: FakeLoki) -> None:
    loki.down = True
    for bot in OTHERS:
        write(home, notes(3), bot=bot)
    async with LokiSink(home, loki.url, pace=QUICK) as one:
        await eventually_async(lambda: one.failures["503"] > 0)
    _unreadable(segment_files(home)[0])
    loki.down = False
    async with LokiSink(home, loki.url, pace=QUICK) as one:
        await eventually_async(lambda: one.delivered == 3)
        assert one._planner.unreadable == {("arb-1", "main")}


async def test_backlog_and_lag_of_an_outage_are_told_after_a_restart_too(home: Path, loki: FakeLoki) -> None:
    loki.down = True
    with writer(home) as journal:
        write_at(journal, [time.time() - 100])
    for _ in range(2):
        async with LokiSink(home, loki.url, pace=QUICK) as one:
            await eventually_async(lambda: one.failures["503"] > 0)
            assert one.backlog_bytes() == sum(path.stat().st_size for path in (home / "journal").glob("*/*/*.ndjson"))
            assert 99 < one.lag_seconds() < 200
            write(home, notes(3), bot=f"arb-{one.backlog_bytes()}")  # a bot that appears while Loki is away
            assert one.backlog_bytes() == sum(path.stat().st_size for path in (home / "journal").glob("*/*/*.ndjson"))
