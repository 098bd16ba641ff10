"""What groups remember."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.projections.metrics.memory import MAX_ID_LENGTH, identifier, increases, keep


@given(keys=st.lists(st.sampled_from("abcdef")), most=st.integers(1, 4))
def test_the_newest_are_kept_and_the_oldest_is_told(keys: list[str], most: int) -> None:
    known: dict[str, Any] = {}
    for number, key in enumerate(keys):
        before = dict(known)
        forgotten = keep(known, key, number, most)
        assert list(known)[-1] == key
        assert len(known) <= most
        assert set(before) | {key} == set(known) | {one for one, value in before.items() if value == forgotten}


def test_an_id_is_bounded_whatever_a_bot_calls_its_things() -> None:
    assert identifier("a" * 60_000) == "a" * MAX_ID_LENGTH
    assert identifier("order-1") == "order-1"


@given(grown=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=20))
def test_totals_add_up_to_all_that_was_counted_in_all_runs(grown: list[tuple[bool, int]]) -> None:
    known: dict[str, Any] = {}
    run = total = seen = 0
    for is_new_run, more in grown:
        run, total = (run + 1, more) if is_new_run else (run, total + more)
        (increase,) = increases(known, "writer", str(run), (total,), 10)
        seen += increase
    assert seen == sum(more for _, more in grown)


def test_a_total_that_fell_began_anew() -> None:
    known: dict[str, Any] = {}
    assert increases(known, "w", "r", (5, 1), 10) == [5, 1]
    assert increases(known, "w", "r", (2, 1), 10) == [2, 0]
