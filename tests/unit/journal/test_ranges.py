"""Sets of whole numbers as ranges."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.journal.ranges import Ranges

numbers = st.lists(st.integers(-5, 40) | st.integers(-(2**63), 2**63 - 1), max_size=60)


@given(numbers)
def test_it_holds_what_a_set_holds(added: list[int]) -> None:
    ranges, expected = Ranges(), set[int]()
    for number in added:
        assert ranges.add(number) is (number not in expected)
        expected.add(number)
    assert len(ranges) == len(expected)
    assert all(number in ranges for number in expected)
    assert not any(number in ranges for number in range(-10, 50) if number not in expected)
    assert ranges.span == ((min(expected), max(expected)) if expected else None)


@given(numbers)
def test_its_ranges_are_apart_and_in_order_with_holes_between(added: list[int]) -> None:
    ranges = Ranges(added)
    pairs = list(ranges)
    assert pairs == sorted(pairs)
    assert all(first <= last for first, last in pairs)
    assert all(one[1] + 1 < another[0] for one, another in itertools.pairwise(pairs))
    holes = ranges.holes()
    assert holes == [(one[1] + 1, another[0] - 1) for one, another in itertools.pairwise(pairs)]


def test_a_first_number_asked_for_shows_what_is_missing_before() -> None:
    assert Ranges([5, 6, 9]).holes(1) == [(1, 4), (7, 8)]
    assert Ranges([5, 6, 9]).holes(5) == [(7, 8)]
    assert Ranges().holes(1) == []
