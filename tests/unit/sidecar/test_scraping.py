"""Scrapes: pictures of one moment that leave the event loop to others."""

from __future__ import annotations

import asyncio
import gzip
from functools import partial
from typing import Any

import pytest

from deskwatch import exposition
from deskwatch.projections.metrics import Counter, Family, readings
from deskwatch.projections.metrics.guard import Guard
from deskwatch.sidecar import scraping
from deskwatch.sidecar.scraping import Scraping, compressed, plain


def many(series: int) -> Family[Any]:
    counter = Counter("tradebot_c", "C.", ("l",), Guard(series))
    for number in range(series):
        counter.inc((str(number),))
    return counter


async def test_others_have_their_turn_while_a_large_scrape_is_written() -> None:
    counter = many(20_000)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(other())
    one = Scraping()
    blocks = await one.scrape(lambda: [counter], exposition.TEXT)
    beside.cancel()
    assert turns > 1
    assert b"".join(blocks) == exposition.render(readings([counter], 0))
    assert sum(one.duration.series[()][:-1]) == 1
    assert one.duration.series[()][-1] > 0


async def test_a_family_shows_one_moment_whatever_happens_while_it_is_written() -> None:
    counter = many(20_000)
    before = exposition.render(readings([counter], 0))
    for cell in counter.cells.values():
        cell.text, cell.shown = "", None

    async def trade() -> None:
        while True:
            for cell in counter.cells.values():
                cell.value += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(trade())
    blocks = await Scraping().scrape(lambda: [counter], exposition.TEXT)
    beside.cancel()
    assert b"".join(blocks) == before
    assert exposition.render(readings([counter], 0)) != before


async def test_what_is_held_against_the_journal_is_read_when_the_scrape_begins() -> None:
    large, last = many(20_000), Counter("tradebot_last", "Last.", ())
    last.inc(())
    last.reconciles = True

    async def trade() -> None:
        while True:
            last.inc(())
            await asyncio.sleep(0)

    beside = asyncio.create_task(trade())
    blocks = await Scraping().scrape(lambda: [large, last], exposition.TEXT)
    beside.cancel()
    assert b"".join(blocks).endswith(b"tradebot_last_total 1.0\n")
    assert last.get(()) > 1


async def test_scrapes_that_come_at_once_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scraping, "SLICE_SECONDS", 0.0)
    counter = many(2_000)
    taken = 0

    def families() -> list[Family[Any]]:
        nonlocal taken
        taken += 1
        return [counter]

    one = Scraping()
    first = asyncio.create_task(one.scrape(families, exposition.TEXT))
    second = asyncio.create_task(one.scrape(families, exposition.OPENMETRICS))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert taken == 1
    assert b"".join(await first).count(b"\n") + 1 == b"".join(await second).count(b"\n")
    assert taken == 2


async def test_a_scrape_is_compressed_as_one_stream_whatever_its_size() -> None:
    for series in (1, 20_000):
        blocks = await Scraping().scrape(partial(lambda count: [many(count)], series), exposition.TEXT)
        packed = b"".join([part async for part in compressed(blocks)])
        assert gzip.decompress(packed) == b"".join(blocks) == b"".join([part async for part in plain(blocks)])
