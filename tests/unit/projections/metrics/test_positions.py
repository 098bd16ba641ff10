"""Metrics of open positions."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.events import PositionClosed, PositionOpened, PositionUpdated
from deskwatch.projections.metrics import positions as positions_module
from tests.unit.projections.folding import fold, samples, value


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
