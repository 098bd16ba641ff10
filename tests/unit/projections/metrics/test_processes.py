"""Metrics of supervised processes."""

from __future__ import annotations

import pytest

from deskwatch.events import ProcessActed
from tests.unit.projections.folding import fold, samples


def test_actions_are_counted_by_what_was_done_from_zero_on() -> None:
    metrics = fold(ProcessActed(action="start", actor="operator", pid=7))
    found = {labels["kind"]: one for labels, one in samples(metrics, "tradebot_process_actions_total")}
    assert found == {"start": 1, "stop": 0, "kill": 0, "hook": 0, "adopt": 0, "exit": 0, "give_up": 0}


@pytest.mark.parametrize(("code", "how"), [(0, "clean"), (3, "error"), (-9, "signal"), (None, "unknown")])
def test_exits_are_counted_by_how_the_process_ended(code: int | None, how: str) -> None:
    metrics = fold(ProcessActed(action="exit", actor="supervisor", exit_code=code))
    found = {labels["reason"]: one for labels, one in samples(metrics, "tradebot_process_exits_total")}
    assert found == dict.fromkeys(("clean", "error", "signal", "unknown"), 0) | {how: 1}
