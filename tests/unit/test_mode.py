"""The rules of modes."""

from __future__ import annotations

import itertools

import pytest

from deskwatch.mode import Mode, at_start, bot_may_change, riskier

FROM_RISKY_TO_SAFE = [Mode.ACTIVE, Mode.STANDBY, Mode.CLOSING, Mode.HALTED]


def test_modes_are_ordered_by_risk() -> None:
    for one, other in itertools.product(Mode, Mode):
        assert riskier(one, other) == (FROM_RISKY_TO_SAFE.index(one) < FROM_RISKY_TO_SAFE.index(other))


@pytest.mark.parametrize(("last", "desired", "initial"), list(itertools.product(Mode, [None, *Mode], Mode)))
def test_a_restart_is_never_riskier_than_before_or_than_asked(last: Mode, desired: Mode | None, initial: Mode) -> None:
    start = at_start(last=last, desired=desired, initial=initial)
    assert not riskier(start, last)
    assert desired is None or not riskier(start, desired)
    assert start in (last, desired)


@pytest.mark.parametrize("initial", Mode)
def test_a_first_start_is_as_the_bots_code_says_unless_less_was_asked(initial: Mode) -> None:
    assert at_start(last=None, desired=None, initial=initial) is initial
    assert at_start(last=None, desired=Mode.HALTED, initial=initial) is Mode.HALTED
    assert at_start(last=None, desired=Mode.ACTIVE, initial=initial) is initial


def test_the_bots_code_may_change_any_mode_but_halted() -> None:
    for current, wanted in itertools.product(Mode, Mode):
        assert bot_may_change(current, wanted) == (current is not Mode.HALTED or wanted is Mode.HALTED)
