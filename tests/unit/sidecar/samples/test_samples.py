"""Taking samples: in a thread, together, and without what fails or hangs."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from deskwatch.events import PriceObserved
from deskwatch.projections.metrics import Family, Gauge
from deskwatch.sidecar import samples as samples_module
from deskwatch.sidecar.samples import Backlog, Fill, Samples
from tests.lines import record_of
from tests.unit.projections.folding import fold


class Counting:
    """Tells how often it was read, and from which thread."""

    def __init__(self, name: str = "reads") -> None:
        self.name = name
        self.reads = 0
        self.threads: set[int] = set()
        self.may_end = threading.Event()
        self.may_end.set()

    def read(self) -> list[Family[Any]]:
        self.threads.add(threading.get_ident())
        self.reads += 1
        assert self.may_end.wait(10)
        gauge = Gauge(self.name, "Reads.", ())
        gauge.set((), self.reads)
        return [gauge]


class Failing:
    def read(self) -> list[Family[Any]]:
        raise OSError


def shown(samples: Samples) -> dict[str, float]:
    return {family.name: family.series[()] for family in samples.families()}


async def test_samples_are_read_anew_when_taken_and_kept_until_then() -> None:
    counting = Counting()
    samples = Samples([counting])
    assert samples.families() == []
    await samples.take()
    assert shown(samples) == shown(samples) == {"reads": 1}
    await samples.take()
    assert shown(samples) == {"reads": 2}


async def test_the_event_loop_does_not_read_them_itself() -> None:
    counting = Counting()
    await Samples([counting]).take()
    assert threading.get_ident() not in counting.threads


async def test_those_who_ask_at_once_share_one_reading() -> None:
    counting = Counting()
    samples = Samples([counting])
    await asyncio.gather(*(samples.take() for _ in range(5)))
    assert counting.reads == 1
    assert shown(samples) == {"reads": 1}


async def test_one_that_fails_keeps_no_other_from_being_seen(caplog: pytest.LogCaptureFixture) -> None:
    samples = Samples([Failing(), Counting()])
    await samples.take()
    assert shown(samples) == {"reads": 1}
    assert "Failing" in str([record.__dict__ for record in caplog.records])


async def test_a_scrape_goes_without_samples_that_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "PATIENCE_SECONDS", 0.05)
    counting = Counting()
    samples = Samples([counting])
    await samples.take()
    counting.may_end.clear()
    await samples.take()
    assert samples.families() == [], "old figures would pass for new ones"
    await samples.take()
    assert counting.reads == 2, "a second thread hangs, too"
    counting.may_end.set()
    monkeypatch.setattr(samples_module, "PATIENCE_SECONDS", 10)
    await samples.take()
    assert shown(samples)["reads"] >= 2


def test_each_consumer_tells_its_backlog() -> None:
    (backlog,) = Backlog({"feed": lambda: 5, "loki": lambda: 0}).read()
    assert backlog.series == {("feed",): 5, ("loki",): 0}


def test_the_fill_tells_the_series_of_each_bot_and_the_fullest_one_of_each_family() -> None:
    prices = [PriceObserved(venue="v", symbol=f"s{number}", price=1.0) for number in range(3)]
    records = [record_of(prices[0], bot="a"), *(record_of(one, bot="b") for one in prices)]
    metrics = fold(*records)
    series, fullest, limit = Fill(lambda: metrics.families, 1000).read()
    assert fullest.series["tradebot_price",] == 3
    assert limit.series == {(): 1000}
    held = {"a": 0, "b": 0}
    for reading in metrics.readings(0.0):
        for labels in reading.keys:
            if reading.family.labels[:1] == ("bot",):
                held[labels[0]] += 1 if isinstance(reading.values[0], float | int) else len(reading.values[0]) + 1
    assert {bot: count for (bot,), count in series.series.items() if bot} == held
