"""What the sidecar tells about itself."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deskwatch.events import LogRecorded
from deskwatch.sidecar import hub as hub_module
from deskwatch.sidecar import loop_lag as loop_lag_module
from deskwatch.sidecar.parts import Parts
from tests.lines import write
from tests.unit.sidecar.serving import Desk, connected, serving
from tests.waiting import eventually_async

NOTE = LogRecorded(message="m", levelname="INFO", name="n")


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, [NOTE])
    async with serving(home) as one:
        yield await one.caught_up()


async def scraped(desk: Desk) -> dict[tuple[str, ...], float]:
    """(name, label value, …) → value of all that one scrape tells."""
    answer = await desk.ask("GET", "/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_are_counted_and_those_that_fail_by_whose_fault_it_is(desk: Desk) -> None:
    before = await scraped(desk)
    assert before["deskwatch_http_failures_total", "4xx"] == before["deskwatch_http_failures_total", "5xx"] == 0
    await desk.ask("GET", "/bots/nobody/snapshot")
    await desk.ask("PUT", "/bots/arb-1/mode", {"mode": "active"})
    after = await scraped(desk)
    assert after["deskwatch_http_requests_total",] == before["deskwatch_http_requests_total",] + 3
    assert after["deskwatch_http_failures_total", "4xx"] == 2
    assert after["deskwatch_http_failures_total", "5xx"] == 0


async def test_a_fault_of_ours_counts_as_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.delattr(desk.parts.feed.projections, "activity")
        assert (await desk.ask("GET", "/bots")).status_code == 500
    assert (await scraped(desk))["deskwatch_http_failures_total", "5xx"] == 1


async def test_scrapes_tell_how_long_those_before_took(desk: Desk) -> None:
    began = time.perf_counter()
    await scraped(desk)
    seconds = time.perf_counter() - began
    second = await scraped(desk)
    assert second["deskwatch_scrape_duration_seconds_count",] == 1
    assert 0 < second["deskwatch_scrape_duration_seconds_sum",] <= seconds


async def test_a_loop_that_is_held_shows_in_its_lag(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag_module, "LOOK_SECONDS", 0.01)
    async with serving(home) as desk:
        lag = desk.parts.loop_lag.lag
        await eventually_async(lambda: lag.cells)
        before = lag.series[()][-1]
        time.sleep(0.2)  # noqa: ASYNC251  # the loop is to be held
        await eventually_async(lambda: lag.series[()][-1] >= before + 0.15)


async def test_a_checkpoint_tells_its_time_size_and_how_long_it_took(desk: Desk, home: Path) -> None:
    assert ("deskwatch_checkpoint_timestamp_seconds",) not in await scraped(desk)
    before = time.time()
    await desk.parts.feed.save()
    found = await scraped(desk)
    assert before <= found["deskwatch_checkpoint_timestamp_seconds",] <= time.time()
    assert found["deskwatch_checkpoint_size_bytes",] == (home / "checkpoint.json").stat().st_size
    assert 0 < found["deskwatch_checkpoint_duration_seconds",] <= time.time() - before


async def test_a_sidecar_that_starts_from_a_checkpoint_tells_that_ones_age(home: Path) -> None:
    write(home, [NOTE])
    async with serving(home) as desk:
        await desk.caught_up()
    path = home / "checkpoint.json"
    async with serving(home) as desk:
        found = await scraped(await desk.caught_up())
    assert found["deskwatch_checkpoint_timestamp_seconds",] == pytest.approx(path.stat().st_mtime, abs=60)
    assert ("deskwatch_checkpoint_duration_seconds",) not in found


async def test_a_journal_that_cant_be_read_is_named(desk: Desk) -> None:
    assert (await scraped(desk))["deskwatch_journal_unreadable", "arb-1", "main"] == 0
    desk.parts.feed.unreadable.add(("arb-2", "main"))
    found = await scraped(desk)
    assert found["deskwatch_journal_unreadable", "arb-2", "main"] == 1
    assert found["deskwatch_journal_unreadable", "arb-1", "main"] == 0


async def test_readers_for_whom_there_is_no_room_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 1)
    async with connected(desk, "http", "/stream") as first:
        await first.message()
        await first.json()
        assert (await desk.ask("GET", "/stream")).status_code == 503
        found = await scraped(desk)
        assert found["deskwatch_stream_clients",] == 1
        assert found["deskwatch_stream_drops_total", "full"] == 1
        assert found["deskwatch_stream_drops_total", "slow"] == 0


async def test_the_fill_and_the_backlog_are_of_this_very_scrape(desk: Desk, home: Path) -> None:
    shutil.rmtree(home / "journal" / "arb-1")
    found = await scraped(desk)
    assert found["deskwatch_backlog_bytes", "feed"] == 0
    assert found["deskwatch_series_limit",] == 1000
    assert found["deskwatch_series_fullest", "deskwatch_events"] == 1
    assert found["deskwatch_series", "arb-1"] >= 2


async def test_samples_that_are_taken_for_two_scrapes_at_once_are_in_both(desk: Desk) -> None:
    parts: Parts = desk.parts
    both = await asyncio.gather(scraped(desk), scraped(desk))
    assert all(("deskwatch_host_cpus",) in one for one in both)
    assert parts.scraping.duration.series[()][-1] > 0
