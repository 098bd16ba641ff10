"""Pushing the metrics at an interval."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from deskwatch.projections.metrics import Counter, Family
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.otlp.push import MetricsPush
from deskwatch.sinks.otlp.resources import Resources
from tests.waiting import eventually_async

STORED = Answer(outcome="stored", reason="200")


class Endpoint:
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        self.answer = STORED
        self.values: list[float] = []
        self.threads: set[int] = set()
        self.released = threading.Event()
        self.released.set()
        self.is_closed = False

    def send(self, request: Any) -> Answer:
        self.threads.add(threading.get_ident())
        self.released.wait(30)
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            self.values += [point.value for point in metric.data.data_points]
        return self.answer

    def close(self) -> None:
        self.is_closed = True


class Desk:
    """A counter that is pushed."""

    def __init__(self, interval: float = 0.01) -> None:
        self.counter = Counter("fills", "Fills.", ())
        self.endpoint = Endpoint()
        self.ready = asyncio.Event()
        resource = Resources("i").of_sidecar()
        self.push = MetricsPush(self.collect, self.ready, self.endpoint, resource, lambda _: 1, interval)
        self.trouble: Exception | None = None

    def collect(self) -> list[Family[Any]]:
        if self.trouble is not None:
            raise self.trouble
        self.counter.inc(())
        return [self.counter]


async def test_nothing_is_pushed_before_the_journals_are_followed_to_their_end() -> None:
    desk = Desk()
    async with desk.push:
        for _ in range(20):
            await asyncio.sleep(0)  # every turn that it could take
        assert desk.endpoint.values == []
        desk.ready.set()
        await eventually_async(lambda: len(desk.endpoint.values) >= 3)
    assert desk.endpoint.values == sorted(set(desk.endpoint.values))
    assert threading.get_ident() not in desk.endpoint.threads
    assert desk.endpoint.is_closed


async def test_what_was_never_ready_is_not_pushed_at_the_end_either() -> None:
    desk = Desk()
    async with desk.push:
        pass
    assert desk.endpoint.values == []


async def test_the_last_figures_are_pushed_at_the_end() -> None:
    desk = Desk(interval=3600)
    desk.ready.set()
    async with desk.push:
        await eventually_async(lambda: desk.endpoint.values == [1.0])
    assert desk.endpoint.values == [1.0, 2.0]


async def test_a_slow_endpoint_is_left_alone_and_costs_the_event_loop_nothing() -> None:
    desk = Desk()
    desk.ready.set()
    desk.endpoint.released.clear()
    async with desk.push:
        await eventually_async(lambda: desk.push.failures["busy"] > 2)
        assert len(desk.endpoint.threads) == 1
        desk.endpoint.released.set()
        await eventually_async(lambda: len(desk.endpoint.values) > 2)


async def test_an_endpoint_that_never_answers_holds_up_the_end_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deskwatch.sinks.otlp.push.STOP_SECONDS", 0.1)
    desk = Desk()
    desk.ready.set()
    desk.endpoint.released.clear()
    async with desk.push:
        await eventually_async(lambda: desk.endpoint.threads)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not desk.endpoint.is_closed  # its thread still uses it
    desk.endpoint.released.set()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(outcome="later", reason="503"), "503"),
        (Answer(outcome="refused", reason="400"), "400"),
        (Answer(outcome="stored", reason="200", rejected=2), "rejected"),
    ],
)
async def test_what_does_not_arrive_is_counted_and_the_next_reading_makes_it_good(answer: Answer, reason: str) -> None:
    desk = Desk()
    desk.endpoint.answer = answer
    desk.ready.set()
    async with desk.push:
        await eventually_async(lambda: desk.push.failures[reason] > 1)
        desk.endpoint.answer = STORED
        seen = len(desk.endpoint.values)
        await eventually_async(lambda: len(desk.endpoint.values) > seen + 1)


async def test_our_own_trouble_is_counted_and_the_next_reading_is_pushed() -> None:
    desk = Desk()
    desk.trouble = RuntimeError("x")
    desk.ready.set()
    async with desk.push:
        await eventually_async(lambda: desk.push.failures["RuntimeError"] > 1)
        desk.trouble = None
        await eventually_async(lambda: desk.endpoint.values)
