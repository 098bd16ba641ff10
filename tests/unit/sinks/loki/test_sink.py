"""The Loki sink: every line is delivered or quarantined, over outages, restarts and poison."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch.events import BotStopped, Event, LogRecorded
from deskwatch.journal import Writer, names
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki import LokiSink, Pace
from deskwatch.sinks.loki.push import Push
from deskwatch.sinks.quarantine import Quarantine, Row
from tests.fakes.loki import FakeLoki, running
from tests.lines import lines_in, segment_files, write
from tests.shipping import write_at
from tests.waiting import eventually, eventually_async


@pytest.fixture
def loki() -> Iterator[FakeLoki]:
    with running() as one:
        yield one


QUICK = Pace(linger_seconds=0.01, settle_seconds=0.02, first_seconds=0.01, most_seconds=0.01)


@contextlib.asynccontextmanager
async def sink(home: Path, loki: FakeLoki, **more: Any) -> AsyncIterator[LokiSink]:
    async with LokiSink(home, loki.url, **{"pace": QUICK, **more}) as one:
        yield one


def notes(count: int, start: int = 0) -> list[Event]:
    return [LogRecorded(message=f"note {number}", levelname="INFO", name="n") for number in range(start, start + count)]


def stored(loki: FakeLoki) -> list[bytes]:
    return [line.encode() for _, line in loki.entries()]


def quarantined(home: Path) -> list[dict[str, Any]]:
    path = home / "sinks" / "loki.quarantine.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def test_every_line_is_delivered_byte_for_byte_and_in_order(home: Path, loki: FakeLoki) -> None:
    write(home, notes(50))
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 50)
        write(home, notes(50, 50))
        write(home, [BotStopped(reason="closed")], bot="arb-2")
        await eventually_async(lambda: one.delivered == 101)
        assert one.backlog_bytes() == 0
    assert [line.encode() for _, line in loki.entries(bot="arb-1")] == lines_in(home)
    assert (one.quarantined, one.failures) == (0, {})


async def test_a_restart_goes_on_where_the_last_push_ended(home: Path, loki: FakeLoki) -> None:
    write(home, notes(5))
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 5)
    write(home, notes(5, 5))
    async with sink(home, loki) as again:
        await eventually_async(lambda: again.delivered == 10)
    assert loki.repeats == 0
    assert stored(loki) == lines_in(home)


async def test_what_is_left_at_the_stop_is_pushed_once_more(home: Path, loki: FakeLoki) -> None:
    async with sink(home, loki, pace=Pace(linger_seconds=60)) as one:
        write(home, notes(1))
        await eventually_async(lambda: len(stored(loki)) == 1 and one._cursor.delivered == 1)
        write(home, notes(3, 1))
    assert len(stored(loki)) == 4


@pytest.mark.parametrize("trouble", [500, 429, 260, 0, -1], ids=["500", "429", "260", "hangs up", "stores, hangs up"])
async def test_trouble_is_tried_again_until_loki_has_all(trouble: int, home: Path, loki: FakeLoki) -> None:
    loki.answers.extend([trouble] * 3)
    write(home, notes(5))
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == 5)
    assert stored(loki) == lines_in(home)
    assert one.failures.total() == 3
    assert quarantined(home) == []


def poisonous(push: Push, entries: list[object]) -> Answer:
    if any("poison" in entry.line for entry in entries):  # type: ignore[attr-defined]  # entries have lines
        return Answer(outcome="refused", reason="400", detail="no")
    return real_send(push, entries)  # type: ignore[arg-type]  # as above


real_send = Push.send


@pytest.mark.parametrize("bad", [[0], [3], [9], [2, 7], list(range(10))], ids=str)
async def test_a_poisoned_line_is_found_and_put_aside_and_the_rest_is_delivered(
    bad: list[int], home: Path, loki: FakeLoki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Push, "send", poisonous)
    events: list[Event] = [
        LogRecorded(message=f"{'poison' if number in bad else 'note'} {number}", levelname="INFO", name="n")
        for number in range(10)
    ]
    write(home, events)
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered + one.quarantined == 10 and one.backlog_bytes() == 0)
    lines = lines_in(home)
    assert stored(loki) == [line for number, line in enumerate(lines) if number not in bad]
    assert [row["line"].encode() for row in quarantined(home)] == [lines[number] for number in bad]
    assert {(row["bot"], row["writer"], row["reason"]) for row in quarantined(home)} == {("arb-1", "main", "400 no")}
    assert (one.delivered, one.quarantined) == (10 - len(bad), len(bad))


async def test_a_line_without_a_time_is_put_aside(home: Path, loki: FakeLoki) -> None:
    write(home, notes(1))
    with segment_files(home)[0].open("ab") as file:
        file.write(b"gar\xffbage\n")
    write(home, notes(1, 1))
    async with sink(home, loki) as one:
        await eventually_async(lambda: (one.delivered, one.quarantined) == (2, 1))
    offset = len(lines_in(home)[0]) + 1
    assert quarantined(home) == [
        {
            "bot": "arb-1",
            "writer": "main",
            "segment": 1,
            "offset": offset,
            "reason": "json",
            "line": "gar\\xffbage",
        }
    ]


async def test_a_line_of_a_foreign_bot_with_broken_text_stops_nothing(home: Path, loki: FakeLoki) -> None:
    write(home, notes(1))
    with segment_files(home)[0].open("ab") as file:
        file.write(b'{"type":"moon_landed","ts":1700000000000000000,"crew":"\xff"}\n')
    write(home, notes(1, 1))
    async with sink(home, loki) as one:
        await eventually_async(lambda: (one.delivered, one.quarantined) == (2, 1))


async def test_a_quarantine_that_cant_be_written_loses_nothing(
    home: Path, loki: FakeLoki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Push, "send", poisonous)
    events: list[Event] = [*notes(3), LogRecorded(message="poison", levelname="INFO", name="n"), *notes(3, 3)]
    write(home, events)
    (home / "sinks" / "loki.quarantine.ndjson").mkdir(parents=True)
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.failures["IsADirectoryError"] > 1)
        os.rmdir(home / "sinks" / "loki.quarantine.ndjson")
        await eventually_async(lambda: one.quarantined == 1 and one.delivered == 6)
    assert len(quarantined(home)) == 1
    assert sorted(stored(loki)) == sorted(line for line in lines_in(home) if b"poison" not in line)


async def test_stopping_during_an_outage_takes_no_long_time_and_loses_nothing(home: Path, loki: FakeLoki) -> None:
    loki.down = True
    write(home, notes(4))
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.failures["503"] > 1)
    assert one.delivered == 0
    eventually(lambda: not one._thread.is_alive())
    loki.down = False
    async with sink(home, loki) as again:
        await eventually_async(lambda: again.delivered == 4)
    assert stored(loki) == lines_in(home)


async def test_one_push_takes_lines_of_all_bots_up_to_a_limit(home: Path, loki: FakeLoki) -> None:
    for bot in ("arb-1", "arb-2", "arb-3"):
        write(home, notes(1), bot=bot)
    async with sink(home, loki, pace=msgspec.structs.replace(QUICK, push_bytes=1)) as one:
        await eventually_async(lambda: one.delivered == 3)
    assert loki.pushes == 3


async def test_a_segment_of_garbage_is_synced_once_and_told_in_one_log_line(
    home: Path, loki: FakeLoki, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts: list[int] = []
    put = Quarantine.put

    def noted(quarantine: Quarantine, rows: Sequence[Row]) -> None:
        puts.append(len(rows))
        put(quarantine, rows)

    monkeypatch.setattr(Quarantine, "put", noted)
    write(home, notes(1))
    with segment_files(home)[0].open("ab") as file:
        file.write(b"garbage\n" * 300)
    async with sink(home, loki) as one:
        await eventually_async(lambda: (one.delivered, one.quarantined) == (1, 300))
    told = [record for record in caplog.records if record.message == "lines were quarantined"]
    assert [(record.__dict__["reason"], record.__dict__["lines"]) for record in told] == [("json", 300)]
    assert len(quarantined(home)) == 300
    assert puts == [300]  # each is synced once


async def test_a_late_time_that_a_wrong_clock_left_holds_nothing_up(home: Path, loki: FakeLoki) -> None:
    year_ns = 365 * 24 * 3600 * 10**9
    cursor = Cursor(home, "loki")
    cursor.load()
    cursor.late_ts = time.time_ns() + year_ns
    cursor.save()
    journal = Writer(names.writer_folder(home, "arb-1", "main")).open()
    write_at(journal, [time.time() - 200 * 3600])
    journal.close()
    async with sink(home, loki) as one:
        await eventually_async(lambda: one.delivered == one.late == 1)
    assert loki.refusals == {}
