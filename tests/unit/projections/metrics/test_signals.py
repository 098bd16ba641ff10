"""Metrics of signals."""

from __future__ import annotations

from typing import Any

from deskwatch.events import SignalRaised
from tests.unit.projections.folding import fold, samples, value


def signal(strength: float | None = None, **more: Any) -> SignalRaised:
    fields = {"signal": "cross", "provider": "rules", "symbol": "ETH", "side": "buy"}
    return SignalRaised(**{**fields, "strength": strength, **more})


def test_signals_are_counted_by_name_provider_symbol_and_side() -> None:
    metrics = fold(signal(), signal(), signal(side="sell"), signal(signal="breakout"))
    assert value(metrics, "tradebot_signals_total", provider="rules", symbol="ETH", side="buy", kind="cross") == 2
    assert value(metrics, "tradebot_signals_total", side="sell") == 1
    assert value(metrics, "tradebot_signals_total", kind="breakout") == 1


def test_the_newest_strength_is_shown_and_one_beyond_all_is_refused() -> None:
    metrics = fold(signal(0.3), signal(0.7), signal(7.0))
    assert value(metrics, "tradebot_signal_strength_ratio", kind="cross") == 0.7
    assert value(metrics, "deskwatch_refused_values_total", reason="out_of_range") == 1


def test_a_signal_without_strength_shows_none() -> None:
    assert samples(fold(signal()), "tradebot_signal_strength_ratio") == []
