"""How far behind a sink says that it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fakes import otlp as fake_otlp
from tests.sending import named, sinks
from tests.shipping import write_at, writer
from tests.waiting import eventually_async


@pytest.mark.parametrize("turn", range(3))
async def test_the_lag_is_the_age_of_the_oldest_line_of_all_writers(turn: int, home: Path) -> None:
    """Whichever writer's lines come first in the batch."""
    now = time.time()
    for age, bot in ((0, "arb-1"), (1000, "arb-2"), (5, "arb-3")):
        with writer(home, bot) as one:
            write_at(one, [now - age, now])
    with fake_otlp.running() as otlp:
        otlp.down = True
        async with sinks(home, otlp) as both:
            sink = named(both, "logs")
            sink._reader._turn = turn
            await eventually_async(lambda: sink.failures.total() > 0)
            assert 1000 <= sink.lag_seconds() < 1100
