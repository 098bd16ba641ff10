"""The Loki sink over crashes and stops: what was planned is pushed again, just as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from deskwatch.events import Event, LogRecorded
from deskwatch.journal import Position
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki import LokiSink, Pace
from tests.fakes.loki import DAY_NS, Answer, FakeLoki, running
from tests.lines import lines_in, segment_files, write
from tests.shipping import HOUR, QUICK, journaled, quarantined, shipped, write_at, writer
from tests.waiting import eventually, eventually_async


@pytest.fixture
def loki() -> Iterator[FakeLoki]:
    with running() as one:
        yield one


@contextlib.asynccontextmanager
async def sink(home: Path, loki: FakeLoki, pace: Pace = QUICK) -> AsyncIterator[LokiSink]:
    async with LokiSink(home, loki.url, pace=pace) as one:
        yield one


def notes(count: int) -> list[Event]:
    return [LogRecorded(message=f"note {number}", levelname="INFO", name="n") for number in range(count)]


async def test_a_push_whose_answer_was_lost_is_pushed_again_identically_by_the_next_start(
    home: Path, loki: FakeLoki
) -> None:
    with writer(home) as one:
        write_at(one, [time.time() - 200 * HOUR + n for n in range(20)])
    write(home, notes(10))
    loki.answers.extend([Answer(status=503, stores=True)] * 1000)
    async with sink(home, loki):
        await eventually_async(lambda: loki.pushes > 0)
    before = {(one.ts, one.line) for one in loki.stored()}
    loki.answers.clear()
    write(home, notes(5))
    async with sink(home, loki) as again:
        await eventually_async(lambda: again.delivered == 35)
        assert again.late == 20
    assert shipped(loki) == journaled(home)
    assert before <= {(one.ts, one.line) for one in loki.stored()}
    assert loki.repeats >= len(before)


async def test_the_plan_is_on_disk_before_its_first_push_and_the_positions_only_after_it(
    home: Path, loki: FakeLoki
) -> None:
    seen: list[Cursor] = []

    def look() -> None:
        cursor = Cursor(home, "loki")
        cursor.load()
        seen.append(cursor)

    loki.on_stored = look
    write(home, notes(5))
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.saved_positions() != {})
        end = one.saved_positions()["arb-1", "main"]
    assert [(part.start, part.end) for part in seen[0].plan] == [(Position(1, 0), end)]
    assert seen[0].positions == {}
    assert end.offset == segment_files(home)[0].stat().st_size


async def test_a_line_that_is_decided_anew_is_written_down_before_it_is_pushed_again(
    home: Path, loki: FakeLoki
) -> None:
    loki.max_age_ns = DAY_NS
    written: list[set[int]] = []

    def look() -> None:
        cursor = Cursor(home, "loki")
        cursor.load()
        written.append({ts for part in cursor.plan for ts in part.late_times().values()})

    loki.on_stored = look
    with writer(home) as one:
        write_at(one, [time.time() - 48 * HOUR + n for n in range(20)])
    async with sink(home, loki) as one_sink:
        await eventually_async(lambda: one_sink.late == 20)
    assert loki.refusals["old"] > 0
    assert {one.ts for one in loki.stored(lane="late")} == written[1]


async def test_identical_lines_of_a_foreign_bot_are_two_entries(home: Path, loki: FakeLoki) -> None:
    folder = home / "journal" / "arb-9" / "main"
    folder.mkdir(parents=True)
    line = b'{"ts":%d,"type":"moon_landed"}\n' % time.time_ns()
    (folder / f"{1:020d}.ndjson").write_bytes(line + line)
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 2)
    assert [one.metadata["at"] for one in loki.stored(bot="arb-9")] == ["1:0", f"1:{len(line)}"]


async def test_a_quarantined_line_has_one_row_though_its_push_is_repeated(home: Path, loki: FakeLoki) -> None:
    loki.max_line_bytes = 1000
    write(home, [*notes(2), LogRecorded(message="x" * 2000, levelname="INFO", name="n")])
    with segment_files(home)[0].open("ab") as file:
        file.write(b"garbage\n")
    async with sink(home, loki) as one:
        await eventually_async(lambda: one._cursor.quarantined == 2)
        crashed = (home / "sinks" / "loki.json").read_bytes()
        await eventually_async(lambda: one.saved_positions() != {})
    cursor = msgspec.json.decode(crashed)
    if not cursor["plan"]:
        pytest.fail("expected the cursor to be settled after the quarantine's rows, not before")
    (home / "sinks" / "loki.json").write_bytes(crashed)
    async with sink(home, loki) as again:
        await eventually_async(lambda: (again.delivered, again.quarantined) == (2, 2))
    assert len(quarantined(home)) == 2


async def test_a_slow_answer_does_not_hold_up_the_stop_and_touches_nothing_after_it(home: Path, loki: FakeLoki) -> None:
    is_stored, answers = threading.Event(), threading.Event()

    def hold() -> None:
        is_stored.set()
        answers.wait(60)

    loki.on_stored = hold
    write(home, notes(3))
    async with sink(home, loki, msgspec.structs.replace(QUICK, stop_seconds=0.1)) as one:
        await eventually_async(is_stored.is_set)
    assert one._thread.is_alive(), "the stop waited for the answer"
    before = (home / "sinks" / "loki.json").read_bytes()
    loki.on_stored = lambda: None
    answers.set()
    eventually(lambda: not one._thread.is_alive())
    assert (home / "sinks" / "loki.json").read_bytes() == before
    async with sink(home, loki) as again:
        await eventually_async(lambda: again.delivered == 3)
    assert loki.repeats == 3


async def test_a_cursor_that_cant_be_written_pushes_nothing_until_it_can(home: Path, loki: FakeLoki) -> None:
    write(home, notes(3))
    (home / "sinks" / "loki.json").mkdir(parents=True)
    (home / "sinks" / "loki.json" / "occupied").touch()
    one = LokiSink(home, loki.url, pace=QUICK)
    one._cursor.load = lambda: None  # type: ignore[method-assign]  # there is no file yet to be read
    async with one:
        await eventually_async(lambda: one.failures.total() > 1)
        assert loki.pushes == 0
        shutil.rmtree(home / "sinks" / "loki.json")
        await eventually_async(lambda: one.delivered == 3)


async def test_a_journal_that_cant_be_read_holds_up_no_other(home: Path, loki: FakeLoki) -> None:
    write(home, notes(3))
    write(home, notes(3), bot="arb-2")
    segment = segment_files(home)[0]
    os.rename(segment, home / "aside")
    segment.symlink_to(segment)
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 3)
        assert one._planner.unreadable == {("arb-1", "main")}
        segment.unlink()
        os.rename(home / "aside", segment)
        await eventually_async(lambda: one.delivered == 6)
    assert shipped(loki) == journaled(home)


async def test_a_journal_that_changed_under_a_plan_is_planned_anew(home: Path, loki: FakeLoki) -> None:
    loki.down = True
    write(home, notes(10))
    async with sink(home, loki):
        await eventually_async(lambda: loki.pushes > 1)
    kept = b"\n".join(lines_in(home)[:4]) + b"\n"
    segment_files(home)[0].write_bytes(kept)
    loki.down = False
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 4)
    assert shipped(loki) == journaled(home)


async def test_a_crash_while_live_lines_are_ahead_of_a_backlog_loses_and_repeats_nothing(
    home: Path, loki: FakeLoki
) -> None:
    loki.on_stored = lambda: time.sleep(0.003)
    with writer(home) as one:
        now = time.time()
        write_at(one, [now - 1800 + n * 1700 / 3000 for n in range(3000)])
        for _ in range(6):
            async with sink(home, loki, msgspec.structs.replace(QUICK, stop_seconds=0.0)) as stopped:
                pushes = loki.pushes
                write(home, notes(3), bot="arb-2")
                write_at(one, [time.time() + n / 1000 for n in range(3)])
                await eventually_async(partial(_has_pushed, loki, stopped, pushes + 3))
            eventually(partial(_has_ended, stopped))
        loki.on_stored = lambda: None
        async with sink(home, loki) as last:
            await eventually_async(lambda: shipped(loki) == journaled(home) and last.backlog_bytes() == 0, 20)
            await eventually_async(lambda: last.delivered == sum(journaled(home).values()))
            await eventually_async(lambda: not last._cursor.ahead)
    assert loki.refusals == {}


async def test_the_lag_is_the_age_of_what_waits(home: Path, loki: FakeLoki) -> None:
    loki.down = True
    with writer(home) as one:
        write_at(one, [time.time() - 100])
    async with sink(home, loki) as running_one:
        await eventually_async(lambda: 99 < running_one.lag_seconds() < 200)
        loki.down = False
        await eventually_async(lambda: running_one.delivered == 1)
        await eventually_async(lambda: running_one.lag_seconds() == 0)


def _has_pushed(loki: FakeLoki, one: LokiSink, pushes: int) -> bool:
    return loki.pushes >= pushes or one.backlog_bytes() == 0


def _has_ended(one: LokiSink) -> bool:
    return not one._thread.is_alive()
