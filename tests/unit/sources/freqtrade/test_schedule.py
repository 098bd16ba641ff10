"""freqtrade is asked no more than it may be."""

from __future__ import annotations

import pytest

from deskwatch.sources.freqtrade.schedule import EVERY_SECONDS, LEAST_SECONDS, REQUESTS, STIRS, Schedule
from deskwatch.sources.freqtrade.stream import TOPICS


class Clock:
    """Seconds, as a test has them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def schedule(clock: Clock) -> Schedule:
    return Schedule(clock)


def run(schedule: Schedule, clock: Clock, seconds: float, topic: str | None = None) -> int:
    """How many requests that makes, with a message every second if there is a topic."""
    requests, until, next_message = 0, clock.now + seconds, clock.now + 1.0
    while clock.now < until:
        for what in schedule.due():
            requests += REQUESTS.get(what, 1)
            schedule.looked(what)
        clock.now += max(min(schedule.wait_seconds(), next_message - clock.now), 0.01)
        if clock.now >= next_message:
            next_message += 1.0
            if topic is not None:
                schedule.stir(topic)
    return requests


def test_half_a_request_a_second_is_asked_when_all_is_quiet(schedule: Schedule, clock: Clock) -> None:
    assert run(schedule, clock, 600) / 600 < 0.5
    assert sum(REQUESTS.get(what, 1) / seconds for what, seconds in EVERY_SECONDS.items()) < 0.5


@pytest.mark.parametrize("topic", sorted(STIRS))
def test_a_message_each_second_asks_for_little_more_than_one_request_a_second(
    schedule: Schedule, clock: Clock, topic: str
) -> None:
    """The client's pace bounds it in any case; this is what waits for it."""
    assert run(schedule, clock, 600, topic) / 600 < 2.6


def test_a_message_brings_forward_what_it_concerns_and_a_burst_is_one_look(schedule: Schedule, clock: Clock) -> None:
    for what in EVERY_SECONDS:
        schedule.looked(what)
    clock.now += 2.0
    for _ in range(20):
        assert schedule.stir("exit")
    assert 0 < schedule.wait_seconds() < 0.5
    clock.now += schedule.wait_seconds()
    assert schedule.due() == ["status"]
    schedule.looked("status")
    assert schedule.due() == []


def test_a_balance_is_not_asked_for_with_each_fill(schedule: Schedule, clock: Clock) -> None:
    schedule.looked("balance")
    clock.now += 1.0
    schedule.stir("exit_fill")
    clock.now += 1.0
    assert "balance" not in schedule.due()
    clock.now += LEAST_SECONDS["balance"]
    assert "balance" in schedule.due()


def test_a_look_that_brought_nothing_comes_again_soon(schedule: Schedule, clock: Clock) -> None:
    schedule.sooner("balance")
    schedule.looked("balance")
    clock.now += LEAST_SECONDS["balance"]
    assert "balance" in schedule.due()
    schedule.looked("balance")
    clock.now += LEAST_SECONDS["balance"]
    assert "balance" not in schedule.due()


def test_only_topics_of_the_stream_are_waited_for():
    assert set(STIRS) <= set(TOPICS)
    assert {what for concerned in STIRS.values() for what in concerned} <= set(EVERY_SECONDS)


def test_other_messages_bring_nothing_forward(schedule: Schedule) -> None:
    assert not schedule.stir("new_candle")
