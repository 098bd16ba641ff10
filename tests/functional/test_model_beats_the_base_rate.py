"""The demo's model earns its place: over a run on the real chain it beats the base rate's Brier score."""

from __future__ import annotations

from pathlib import Path

import pytest

from arbitrage_bot.chain.traders import Temper
from tests.unit.examples.world import make_world

BLOCKS = 300
SEEDS = (21, 23)
"""Not among those that the model's first beliefs were rounded from."""


@pytest.mark.parametrize("seed", SEEDS)
def test_model_beats_the_base_rate(tmp_path: Path, seed: int):
    """Every prediction is resolved by the chain; over the run its squared error is below the base rate's."""
    world = make_world(tmp_path, seed, Temper())
    for _ in range(BLOCKS):
        world.block()
    world.recorder.close()
    resolved = world.events("prediction_resolved")
    assert len(resolved) >= 50
    model = sum((one["probability"] - one["occurred"]) ** 2 for one in resolved)
    base = sum((one["base_rate"] - one["occurred"]) ** 2 for one in resolved)
    assert model < base
    assert 0.1 < sum(one["occurred"] for one in resolved) / len(resolved) < 0.9  # there was something to predict
