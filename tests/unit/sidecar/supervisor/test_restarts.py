"""Whether and when a bot that ended is started again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sidecar.supervisor.restarts import JITTER, Restarts
from deskwatch.supervised import Restart, Supervised

codes = st.none() | st.integers(-64, 255)


def policy(chance: float = 0.0, **more: object) -> Restarts:
    return Restarts(Supervised(**{"bot": "arb-1", "command": ("true",), **more}), lambda: chance)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("restart", "code", "restarted"),
    [
        (Restart.NEVER, 1, False),
        (Restart.NEVER, 0, False),
        (Restart.ON_FAILURE, 0, False),
        (Restart.ON_FAILURE, 1, True),
        (Restart.ON_FAILURE, -9, True),
        (Restart.ON_FAILURE, None, True),
        (Restart.ALWAYS, 0, True),
        (Restart.ALWAYS, 1, True),
    ],
)
def test_the_policy_says_which_ends_are_followed_by_a_start(
    restart: Restart, code: int | None, restarted: bool
) -> None:
    one = policy(restart=restart)
    assert (one.after(code, now=0.0, ran_seconds=1.0) is not None) == restarted
    assert not one.gave_up


def test_pauses_double_up_to_a_bound_and_begin_anew_after_a_healthy_run() -> None:
    one = policy(crash_limit=100, first_pause_seconds=1.0, most_pause_seconds=10.0, healthy_seconds=60.0)
    pauses = [one.after(1, now=float(n), ran_seconds=ran) for n, ran in enumerate([1, 1, 1, 1, 1, 60, 1])]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 1.0, 2.0]


def test_so_many_ends_within_the_time_are_a_crash_loop_until_a_person_rearms_it() -> None:
    one = policy(crash_limit=3, crash_seconds=10.0)
    assert one.after(1, now=0.0, ran_seconds=1.0) is not None
    assert one.after(1, now=5.0, ran_seconds=1.0) is not None
    assert one.after(1, now=10.0, ran_seconds=1.0) is None
    assert one.gave_up
    one.rearm()
    assert not one.gave_up
    assert one.after(1, now=11.0, ran_seconds=1.0) == 1.0


def test_ends_that_are_far_apart_are_no_crash_loop() -> None:
    one = policy(crash_limit=3, crash_seconds=10.0)
    assert all(one.after(1, now=n * 5.1, ran_seconds=1.0) is not None for n in range(50))


@given(st.lists(st.tuples(codes, st.floats(0, 100), st.floats(0, 100))), st.floats(0, 1), st.sampled_from(Restart))
def test_a_pause_is_never_longer_than_the_bound_nor_shorter_than_the_jitter_allows(
    ends: list[tuple[int | None, float, float]], chance: float, restart: Restart
) -> None:
    one = policy(chance, restart=restart, crash_limit=4, crash_seconds=50.0)
    now, within = 0.0, list[float]()
    for code, gap, ran in ends:
        now += gap
        pause = one.after(code, now=now, ran_seconds=ran)
        if restart is Restart.NEVER or (restart is Restart.ON_FAILURE and code == 0):
            assert pause is None
            continue
        within = [*within, now][-4:]
        assert (pause is None) == (len(within) == 4 and now - within[0] <= 50.0)
        if pause is not None:
            assert 1.0 * (1 - JITTER) <= pause <= 60.0
