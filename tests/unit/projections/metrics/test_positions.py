"""Metrics of open positions."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import PositionClosed, PositionOpened, PositionUpdated
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.metrics import positions as positions_module
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import Fields, fold, samples, value


def opened(position_id: str = "p1", **more: Any) -> PositionOpened:
    fields = {"venue": "v", "symbol": "ETH", "side": "long", "quantity": 2.0, "entry_price": 100.0, "asset": "USDT"}
    return PositionOpened(position_id=position_id, **{**fields, **more})


def closed(position_id: str = "p1") -> PositionClosed:
    return PositionClosed(position_id=position_id, venue="v", symbol="ETH", realized_pnl=1.0, asset="USDT")


def test_an_open_position_shows_its_size_and_entry() -> None:
    metrics = fold(opened())
    assert value(metrics, "tradebot_positions_open", symbol="ETH", side="long") == 1
    assert value(metrics, "tradebot_position_quantity") == 2
    assert value(metrics, "tradebot_position_entry_price") == 100
    assert value(metrics, "tradebot_unrealized_pnl", asset="USDT") == 0
    assert samples(metrics, "tradebot_position_mark_price") == []


def test_positions_of_the_same_labels_are_summed_and_their_prices_weighted() -> None:
    metrics = fold(opened("p1"), opened("p2", quantity=6.0, entry_price=200.0))
    assert value(metrics, "tradebot_positions_open") == 2
    assert value(metrics, "tradebot_position_quantity") == 8
    assert value(metrics, "tradebot_position_entry_price") == 175


def test_an_update_changes_what_it_names() -> None:
    metrics = fold(
        opened(),
        PositionUpdated(position_id="p1", mark_price=110.0, unrealized_pnl=20.0),
        PositionUpdated(position_id="p1", quantity=1.0),
    )
    assert value(metrics, "tradebot_position_mark_price") == 110
    assert value(metrics, "tradebot_unrealized_pnl") == 20
    assert value(metrics, "tradebot_position_quantity") == 1
    assert value(metrics, "tradebot_position_entry_price") == 100


def test_a_closed_position_leaves_zeros_and_no_price() -> None:
    metrics = fold(opened(), PositionUpdated(position_id="p1", mark_price=1.0, unrealized_pnl=5.0), closed())
    assert value(metrics, "tradebot_positions_open") == 0
    assert value(metrics, "tradebot_position_quantity") == 0
    assert value(metrics, "tradebot_unrealized_pnl") == 0
    assert samples(metrics, "tradebot_position_entry_price") == []
    assert samples(metrics, "tradebot_position_mark_price") == []


def test_words_on_a_position_that_is_not_open_show_nothing() -> None:
    metrics = fold(PositionUpdated(position_id="p9", quantity=1.0), closed("p9"))
    assert samples(metrics, "tradebot_positions_open") == []


def test_a_position_opened_again_under_its_id_takes_the_place_of_the_old_one() -> None:
    metrics = fold(opened(), opened(side="short", quantity=3.0))
    assert value(metrics, "tradebot_positions_open", side="long") == 0
    assert value(metrics, "tradebot_positions_open", side="short") == 1
    assert value(metrics, "tradebot_position_quantity", side="long") == 0


def test_unrealized_profit_is_never_summed_over_assets() -> None:
    metrics = fold(
        opened("p1"),
        opened("p2", asset="EUR"),
        PositionUpdated(position_id="p1", unrealized_pnl=5.0),
        PositionUpdated(position_id="p2", unrealized_pnl=7.0),
    )
    assert value(metrics, "tradebot_unrealized_pnl", asset="USDT") == 5
    assert value(metrics, "tradebot_unrealized_pnl", asset="EUR") == 7


def test_a_position_of_unknown_size_is_counted() -> None:
    metrics = fold(opened(quantity=None, entry_price=None))
    assert value(metrics, "tradebot_positions_open") == 1
    assert value(metrics, "tradebot_position_quantity") == 0
    assert samples(metrics, "tradebot_position_entry_price") == []


def test_open_positions_that_are_followed_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions_module, "MAX_OPEN", 2)
    metrics = fold(opened("p1", symbol="A"), opened("p2", symbol="B"), opened("p3", symbol="C"))
    assert [value(metrics, "tradebot_positions_open", symbol=symbol) for symbol in "ABC"] == [0, 1, 1]


def shown(metrics: Metrics, name: str, **labels: str) -> float | None:
    return value(metrics, f"tradebot_position_{name}", **labels)


def updated(position_id: str = "p1", **more: Any) -> PositionUpdated:
    return PositionUpdated(position_id=position_id, **more)


def test_margin_is_summed_by_asset_and_the_highest_leverage_counts() -> None:
    metrics = fold(
        opened("p1", leverage=3.0, margin=50.0),
        opened("p2", leverage=5.0, margin=30.0),
        opened("p3", asset="EUR", margin=7.0),
    )
    assert shown(metrics, "margin", asset="USDT") == 80
    assert shown(metrics, "margin", asset="EUR") == 7
    assert shown(metrics, "leverage") == 5
    fold(updated("p2", leverage=2.0, margin=10.0), into=metrics)
    assert shown(metrics, "margin", asset="USDT") == 60
    assert shown(metrics, "leverage") == 3


@pytest.mark.parametrize(
    ("side", "price", "distance"),
    [("long", 80.0, 0.2), ("short", 150.0, 0.5), ("long", 120.0, 0.0), ("short", 90.0, 0.0), ("both", 120.0, 0.2)],
)
def test_the_distance_to_liquidation_is_a_part_of_the_mark(side: str, price: float, distance: float) -> None:
    metrics = fold(opened(side=side, liquidation_price=price))
    assert shown(metrics, "liquidation_distance_ratio") is None
    fold(updated(mark_price=100.0), into=metrics)
    assert shown(metrics, "liquidation_distance_ratio", side=side) == pytest.approx(distance)


def test_of_several_positions_the_one_in_most_danger_counts() -> None:
    metrics = fold(
        opened("p1"),
        opened("p2"),
        updated("p1", mark_price=100.0, liquidation_price=50.0, divergence_ratio=0.01, erosion_ratio=0.2),
        updated("p2", mark_price=100.0, liquidation_price=90.0, divergence_ratio=-0.03, erosion_ratio=1.2),
    )
    assert shown(metrics, "liquidation_distance_ratio") == pytest.approx(0.1)
    assert shown(metrics, "divergence_ratio") == -0.03
    assert shown(metrics, "erosion_ratio") == 1.2
    fold(closed("p2"), into=metrics)
    assert shown(metrics, "liquidation_distance_ratio") == 0.5
    assert shown(metrics, "divergence_ratio") == 0.01
    assert shown(metrics, "erosion_ratio") == 0.2


def test_a_venue_that_says_zero_has_no_price_of_liquidation() -> None:
    metrics = fold(opened(liquidation_price=0.0), updated(mark_price=100.0))
    assert shown(metrics, "liquidation_distance_ratio") is None


def test_figures_below_zero_are_refused_and_the_old_ones_stay() -> None:
    wrong: Fields = dict.fromkeys(
        ("quantity", "entry_price", "mark_price", "liquidation_price", "leverage", "margin", "erosion_ratio"), -1.0
    )
    metrics = fold(opened(), updated(**wrong, unrealized_pnl=-1.0, divergence_ratio=-1.0))
    assert shown(metrics, "quantity") == 2
    assert shown(metrics, "entry_price") == 100
    assert value(metrics, "tradebot_unrealized_pnl") == -1
    assert shown(metrics, "divergence_ratio") == -1
    found = [(labels["reason"], one) for labels, one in samples(metrics, "deskwatch_refused_values_total")]
    assert found == [("negative", 1)] * len(wrong)


def test_a_flat_label_set_shows_no_margin_and_no_danger() -> None:
    danger: Fields = {"mark_price": 1.0, "liquidation_price": 0.5, "divergence_ratio": 0.1, "erosion_ratio": 0.1}
    metrics = fold(opened(margin=5.0, leverage=2.0), updated(**danger), closed())
    for name in ("margin", "leverage", "liquidation_distance_ratio", "divergence_ratio", "erosion_ratio"):
        assert shown(metrics, name) is None


def test_open_positions_stay_after_the_bots_death_beside_their_age() -> None:
    metrics = fold(record_of(opened(), ts=START_NS), record_of(updated(mark_price=1.0), ts=START_NS + 10**9))
    assert len(samples(metrics, "tradebot_positions_open", now=4e9)) == 1
    assert samples(metrics, "tradebot_positions_timestamp_seconds", now=4e9) == [({"bot": "arb-1"}, START_NS / 1e9 + 1)]
