"""The online model."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbitrage_bot.forecast import FEATURES
from arbitrage_bot.model import Feature, OnlineLogit, Score

PLAIN = (Feature("told", 0.0, 1.0, 0.0), Feature("noise", 0.0, 1.0, 0.0))


def test_it_learns_what_decides_and_beats_the_base_rate():
    """One feature decides, one is noise: the Brier score ends well below that of the base rate."""
    dice = random.Random(1)
    model, score = OnlineLogit(PLAIN), Score()
    for _ in range(600):
        features = (dice.gauss(5, 2), dice.gauss(0, 100))
        occurred = dice.random() < 1 / (1 + math.exp(-(features[0] - 5)))
        model.observe(features)
        score.add(model.probability(features), score.base_rate, occurred=occurred)
        model.learn(features, occurred=occurred)
    assert score.brier < 0.85 * score.base_brier


def test_it_follows_a_world_that_turns_round():
    """What was a good sign becomes a bad one: the sign of the answer follows."""
    dice = random.Random(2)
    model = OnlineLogit(PLAIN)
    for turn in (1, -1):
        for _ in range(800):
            features = (dice.gauss(0, 1), 0.0)
            model.observe(features)
            model.learn(features, occurred=features[0] * turn > 0)
        assert (model.probability((1.0, 0.0)) > 0.5) is (turn > 0)


@given(st.lists(st.floats(-1e12, 1e12), min_size=len(FEATURES), max_size=len(FEATURES)), st.booleans())
def test_a_probability_stays_strictly_between_0_and_1_whatever_comes(features: list[float], occurred: bool):
    model = OnlineLogit(FEATURES)
    for _ in range(3):
        model.observe(features)
        model.learn(features, occurred=occurred)
        assert 0 < model.probability(features) < 1


def test_a_score_is_the_mean_squared_error():
    score = Score()
    score.add(0.8, 0.5, occurred=True)
    score.add(0.4, 0.5, occurred=False)
    assert score.brier == pytest.approx((0.04 + 0.16) / 2)
    assert score.base_brier == pytest.approx(0.25)
    assert score.log_loss == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert score.base_rate == pytest.approx(2 / 4)


def test_a_score_of_nothing_is_not_a_number():
    assert math.isnan(Score().brier)
    assert math.isnan(Score().base_brier)
    assert math.isnan(Score().log_loss)
