"""Times and durations as people type them."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from deskwatch.errors import ConfigError
from deskwatch.moment import local_time, parse_duration, parse_moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("36h", 129600), ("30d", 2592000), ("2w", 1209600), ("1h30m", 5400)],
)
def test_a_duration_is_figures_with_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-3d", "3 d", "3y"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a duration such as 90s.*was"):
        parse_duration(text)


def test_a_moment_is_a_time_or_a_duration_ago() -> None:
    before = time.time_ns() - 900 * 10**9
    assert before <= parse_moment("15m") <= time.time_ns() - 900 * 10**9
    assert parse_moment("2026-01-31T14:05:06+00:00") == 1769868306 * 10**9
    assert parse_moment("2026-01-31") == int(datetime(2026, 1, 31).astimezone().timestamp()) * 10**9
    with pytest.raises(ConfigError, match="expected a time such as"):
        parse_moment("yesterday")


def test_a_time_is_shown_in_local_time_to_the_millisecond() -> None:
    ts = parse_moment("2026-01-31 14:05:06") + 123_456_789
    assert local_time(ts) == "2026-01-31 14:05:06.123"
    assert local_time(2**63 - 1).startswith("2262-")
    assert local_time(10**30) == str(10**30)
