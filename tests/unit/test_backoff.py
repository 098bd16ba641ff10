"""Waiting between tries."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.backoff import FIRST_SECONDS, MOST_SECONDS, Backoff


@given(tries=st.integers(1, 2000))
def test_a_wait_is_never_longer_than_the_bound(tries: int) -> None:
    backoff = Backoff()
    assert all(0 <= backoff.next_seconds() <= MOST_SECONDS for _ in range(tries))


def test_the_bound_doubles_with_each_try_and_a_success_resets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _, bound: bound)
    backoff = Backoff(1.0, 8.0)
    assert [backoff.next_seconds() for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    backoff.reset()
    assert backoff.next_seconds() == 1


@given(asked=st.floats(0, 1e9))
def test_a_server_is_waited_for_as_long_as_it_asks_within_reason(asked: float) -> None:
    wait = Backoff().next_seconds(asked)
    assert min(asked, MOST_SECONDS * 10) <= wait <= max(min(asked, MOST_SECONDS * 10), FIRST_SECONDS)
