"""Loki is away for minutes, hours, more than a week: nothing is lost, and each line is in the lane where it belongs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from deskwatch.events import LogRecorded
from deskwatch.sinks.loki import Limits, LokiSink
from tests.fakes import loki as fake_loki
from tests.fakes.loki import FakeLoki, Stored
from tests.shipping import HOUR, QUICK, journaled, quarantined, shipped, write_at, writer
from tests.waiting import eventually_async

BOTS = (("arb-1", "main"), ("arb-1", "second"), ("arb-2", "main"))
LINES = 2000


async def ship(home: Path, loki: FakeLoki) -> LokiSink:
    """Run a sink until everything is delivered."""
    async with LokiSink(home, loki.url, pace=QUICK) as sink:
        total = sum(journaled(home).values())
        await eventually_async(lambda: sink.delivered + sink.quarantined == total, 60)
    return sink


def event_ts(one: Stored) -> int:
    """The event's own time as its line tells it."""
    return int(one.line.partition('"ts":')[2].partition(",")[0])


@pytest.mark.parametrize("hours", [1 / 6, 4, 192], ids=["10 min", "4 h", "8 d"])
async def test_an_outage_loses_nothing_and_the_late_lane_holds_exactly_what_is_too_old(hours: float, home: Path):
    """All lines arrive once; Loki refuses none for its order or age; the old ones are late, with their own time."""
    with fake_loki.running() as loki:
        loki.down = True
        now = time.time()
        for number, (bot, name) in enumerate(BOTS):
            with writer(home, bot, name) as one:
                write_at(one, [now - hours * HOUR * (1 - (n + number / 3) / LINES) for n in range(LINES)])
        async with LokiSink(home, loki.url, pace=QUICK) as sink:
            await eventually_async(lambda: sink.failures["503"] >= 3)
            assert sink.delivered == 0
            loki.down = False
            await eventually_async(lambda: sink.delivered == LINES * len(BOTS), 60)
        assert shipped(loki) == journaled(home)
        assert loki.refusals == {}
        assert quarantined(home) == []
        stored = loki.stored()
        border = int(now * 1e9) - Limits().old
        late = [one for one in stored if one.labels["lane"] == "late"]
        near = [one for one in stored if abs(event_ts(one) - border) < 60 * 10**9]
        assert {one.line for one in stored if event_ts(one) < border} - {one.line for one in near} == {
            one.line for one in late
        } - {one.line for one in near}
        assert sink.late == len(late) == len({one.ts for one in late})
        assert bool(late) is (hours > 168)
        assert all(one.metadata["event_ts"] == str(event_ts(one)) for one in late)
        assert all(one.ts == event_ts(one) and "event_ts" not in one.metadata for one in stored if one not in late)


@pytest.mark.parametrize("step", [-2, 2], ids=["back", "forward"])
async def test_a_clock_that_steps_two_hours_puts_no_line_too_far_behind(step: int, home: Path):
    """A backlog of three hours, the bot's clock wrong in its middle, and live lines: Loki refuses nothing."""
    with fake_loki.running() as loki:
        now = time.time()
        times = [now - 3 * HOUR + n * 3 * HOUR / LINES for n in range(LINES)]
        wrong = [one + step * HOUR if LINES // 3 < n < LINES // 2 else one for n, one in enumerate(times)]
        with writer(home) as one, writer(home, "arb-1", "second") as second:
            write_at(one, wrong)
            write_at(second, times)
            await ship(home, loki)
            write_at(one, [now + n / 100 for n in range(200)])
            await ship(home, loki)
            write_at(one, [now + step * HOUR + n / 100 for n in range(200)])
            await ship(home, loki)
            write_at(one, [now + 10 + n / 100 for n in range(200)])
            await ship(home, loki)
        assert shipped(loki) == journaled(home)
        assert loki.refusals == {}
        assert any(one.labels["lane"] == "late" for one in loki.stored())


async def test_a_wrong_clock_of_this_machine_is_told_by_loki(home: Path):
    """Loki's clock is two hours behind: what is of the future there goes to the late lane, at Loki's own time."""
    with fake_loki.running() as loki:
        loki.clock = lambda: time.time_ns() - 2 * fake_loki.HOUR_NS
        with writer(home) as one:
            write_at(one, [time.time() - 3 * HOUR + n * 3 * HOUR / LINES for n in range(LINES)])
        sink = await ship(home, loki)
        assert shipped(loki) == journaled(home)
        assert quarantined(home) == []
        assert sink.late > LINES / 3
        assert loki.refusals["behind"] == loki.refusals["old"] == 0
        assert loki.pushes < 200


async def test_a_push_that_grew_too_old_while_loki_was_away_goes_to_the_late_lane_at_once(home: Path):
    """What was decided for the live lane before the outage is decided anew, without halving it down to each line."""
    with fake_loki.running() as loki:
        loki.down = True
        with writer(home) as one:
            write_at(one, [time.time() - 60 + n / 100 for n in range(50)])
        async with LokiSink(home, loki.url, pace=QUICK):
            await eventually_async(lambda: loki.pushes >= 2)
        loki.down = False
        loki.clock = lambda: time.time_ns() + 8 * fake_loki.DAY_NS
        before = loki.pushes
        sink = await ship(home, loki)
        assert shipped(loki) == journaled(home)
        assert sink.late == 50
        assert loki.pushes - before == 2


async def test_a_narrower_window_than_lokis_default_is_learnt(home: Path):
    """A Loki that takes a day: the first refusal tells, and the rest goes to the late lane unasked."""
    with fake_loki.running() as loki:
        loki.max_age_ns = fake_loki.DAY_NS
        with writer(home) as one:
            write_at(one, [time.time() - 48 * HOUR + n * 48 * HOUR / LINES for n in range(LINES)])
        sink = await ship(home, loki)
        assert shipped(loki) == journaled(home)
        assert LINES / 2 <= sink.late < LINES * 0.6
        assert loki.pushes < 150
        assert quarantined(home) == []


async def test_a_stream_that_another_shipper_fed_sends_ours_to_the_late_lane(home: Path):
    """The cursor is lost, the streams are further on: what Loki refuses for its order is late, not quarantined."""
    with fake_loki.running() as loki:
        with writer(home) as one:
            write_at(one, [time.time() - 3 * HOUR + n * 3 * HOUR / 300 for n in range(300)])
        await ship(home, loki)
        (home / "sinks" / "loki.json").unlink()
        sink = await ship(home, loki)
        assert quarantined(home) == []
        assert {line for _, line in loki.entries(lane="live")} == {line for _, line in journaled(home)}
        assert 0 < sink.late < 300
        assert loki.pushes < 80


async def test_live_lines_overtake_a_backlog_of_minutes(home: Path):
    """While the last half hour is still being shipped, what is written now arrives; in the end each is there once."""
    with fake_loki.running() as loki:
        now = time.time()
        with writer(home) as one:
            write_at(one, [now - 1800 + n * 1800 / 4000 for n in range(4000)])
            sink = LokiSink(home, loki.url, pace=QUICK)
            is_written = threading.Event()
            before: list[int] = []

            def stored() -> None:
                if sink._cursor.ahead:
                    is_written.wait(60)  # no backlog is over before there is something to overtake it
                entries = loki.entries()
                if not before and any("overtakes" in line for _, line in entries):
                    before.append(len(entries) - 1)

            loki.on_stored = stored
            async with sink:
                await eventually_async(lambda: sink._cursor.ahead)
                write_at(one, [time.time()], lambda _: LogRecorded(message="overtakes", levelname="INFO", name="n"))
                is_written.set()
                await eventually_async(lambda: before)
                assert before[0] < 4000
                await eventually_async(lambda: sink.delivered == 4001, 60)
                await eventually_async(lambda: sink.backlog_bytes() == 0 and not sink._cursor.ahead)
        assert shipped(loki) == journaled(home)
        assert loki.refusals == {}
