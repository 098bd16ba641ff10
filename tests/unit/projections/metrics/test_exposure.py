"""Metrics of exposure."""

from __future__ import annotations

from typing import Any

from deskwatch.events import PositionClosed, PositionOpened, PositionUpdated
from deskwatch.projections.metrics import Metrics
from tests.unit.projections.folding import fold, value


def opened(position_id: str, side: str, quantity: float | None, **more: Any) -> PositionOpened:
    fields = {"venue": "v", "symbol": "ETH", "entry_price": 100.0, "asset": "USDT", "strategy": "s"}
    return PositionOpened(position_id=position_id, side=side, quantity=quantity, **{**fields, **more})


def exposure(metrics: Metrics, **labels: str) -> tuple[float | None, float | None]:
    names = ("tradebot_exposure_gross", "tradebot_exposure_net")
    gross, net = (value(metrics, name, **labels) for name in names)
    return gross, net


def test_long_and_short_add_up_to_gross_and_cancel_out_to_net() -> None:
    metrics = fold(opened("a", "long", 2.0), opened("b", "short", 3.0, symbol="BTC", venue="w"))
    assert exposure(metrics, bot="arb-1", strategy="s", asset="USDT") == (500, -100)


def test_current_prices_count_where_they_are_known() -> None:
    metrics = fold(opened("a", "long", 2.0), PositionUpdated(position_id="a", mark_price=110.0))
    assert exposure(metrics) == (220, 220)


def test_strategies_and_assets_are_kept_apart() -> None:
    metrics = fold(
        opened("a", "long", 1.0), opened("b", "long", 2.0, strategy="t"), opened("c", "short", 1.0, asset="EUR")
    )
    assert exposure(metrics, strategy="s", asset="USDT") == (100, 100)
    assert exposure(metrics, strategy="t", asset="USDT") == (200, 200)
    assert exposure(metrics, strategy="s", asset="EUR") == (100, -100)


def test_a_bot_that_is_flat_has_exactly_none() -> None:
    positions = [opened(str(number), "long", 0.1 * number, entry_price=0.3) for number in range(10)]
    ends = [
        PositionClosed(position_id=str(number), venue="v", symbol="ETH", realized_pnl=0.0, asset="USDT")
        for number in range(10)
    ]
    assert exposure(fold(*positions, *ends)) == (0, 0)


def test_what_is_not_known_counts_for_nothing() -> None:
    metrics = fold(opened("a", "long", 1.0, entry_price=None), opened("b", "long", None))
    assert exposure(metrics) == (0, 0)
