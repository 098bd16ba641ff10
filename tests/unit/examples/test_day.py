"""Rolling figures of 24 hours."""

from __future__ import annotations

import pytest

from arbitrage_bot.day import DAY_SECONDS, Day


def test_a_young_pool_is_measured_from_its_beginning():
    day = Day(complete=True)
    day.add(1000, 100.0, 5.0)
    day.add(1090, 110.0, 7.0)
    assert day.volume == 12.0
    assert day.change_ratio(110.0) == pytest.approx(0.1)


def test_figures_are_withheld_until_a_day_was_seen():
    day = Day(complete=False)
    day.add(1000, 100.0, 5.0)
    assert day.volume is None
    assert day.change_ratio(110.0) is None
    day.add(1000 + DAY_SECONDS + 60, 120.0, 1.0)
    assert day.volume == 1.0
    assert day.change_ratio(120.0) == pytest.approx(0.0)


def test_what_is_older_than_a_day_falls_out_and_memory_stays_bounded():
    day = Day(complete=True)
    for minute in range(3000):
        day.add(minute * 60, 100.0 + minute, 1.0)
    assert day.volume == 1440.0
    assert len(day._minutes) == 1440
