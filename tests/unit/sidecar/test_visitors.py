"""Limits on connections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sidecar.visitors import Visitors


class Guest:
    def __init__(self, visitors: Visitors, address: str = "a") -> None:
        self.address = address
        self.visitors = visitors
        self.is_away = False

    def turn_away(self) -> None:
        self.is_away = True

    def trust(self) -> None:
        self.visitors.trust(self)

    @property
    def is_crowded(self) -> bool:
        return self.visitors.is_crowded(self)


def test_the_one_that_was_silent_longest_gives_way() -> None:
    visitors = Visitors(limit=3, of_address=9, reserve=1)
    first, second, third, fourth, fifth = (Guest(visitors, address) for address in "abcde")
    for guest in (first, second, third):
        assert visitors.enter(guest)
    visitors.speaks(first)
    assert visitors.enter(fourth)
    assert (first.is_away, second.is_away, third.is_away) == (False, True, False)
    visitors.falls_silent(first)
    assert visitors.enter(fifth)
    assert (third.is_away, first.is_away) == (True, False)
    assert visitors.turned_away["silent"] == 2
    assert len(visitors) == 3


def test_an_address_has_its_own_limit_and_takes_no_room_of_others() -> None:
    visitors = Visitors(limit=10, of_address=2, reserve=1)
    other = Guest(visitors, "b")
    assert visitors.enter(other)
    mine = [Guest(visitors) for _ in range(4)]
    assert all(visitors.enter(guest) for guest in mine)
    assert [guest.is_away for guest in mine] == [True, True, False, False]
    assert not other.is_away


def test_where_all_are_busy_a_few_more_may_show_a_token_and_then_make_room() -> None:
    visitors = Visitors(limit=2, of_address=2, reserve=2)
    busy = [Guest(visitors) for _ in range(2)]
    for guest in busy:
        assert visitors.enter(guest)
        visitors.speaks(guest)
    for _ in range(10):
        operator = Guest(visitors)
        assert visitors.enter(operator)
        assert operator.is_crowded
        operator.trust()
        assert not operator.is_crowded
    crowded = [Guest(visitors) for _ in range(2)]
    for guest in crowded:
        assert visitors.enter(guest)
    latest = Guest(visitors)
    assert visitors.enter(latest)  # the silent ones of the reserve give way, too
    assert crowded[0].is_away
    for guest in (crowded[1], latest):
        visitors.speaks(guest)
    assert not visitors.enter(Guest(visitors))
    assert visitors.turned_away["full"] == 1
    assert not any(guest.is_away for guest in busy)


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "speaks", "falls_silent", "trust"]), st.integers(0, 11))))
def test_the_limits_hold_whatever_happens_and_nothing_is_left_behind(steps: list[tuple[str, int]]) -> None:
    visitors = Visitors(limit=4, of_address=3, reserve=2)
    guests = [Guest(visitors, "abc"[number % 3]) for number in range(12)]
    inside: set[Guest] = set()
    for step, number in steps:
        guest = guests[number]
        if step == "enter" and guest not in inside:
            guest.is_away = False
            if visitors.enter(guest):
                inside.add(guest)
        elif step != "enter":
            getattr(visitors, step)(guest)
            if step == "leave":
                inside.discard(guest)
        inside -= {one for one in inside if one.is_away}
        assert len(visitors) == len(inside)
        assert len(visitors._strangers) <= 4
        assert len(visitors._crowded) <= 2
        assert max(visitors._by_address.values(), default=0) <= 3
    for guest in guests:
        visitors.leave(guest)
    assert (len(visitors), visitors._silent, visitors._by_address) == (0, {}, {})
