"""Exposure: what is at stake in open positions, at their current prices, else at those they were entered at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deskwatch.projections.metrics.registry import Registry

_LABELS = ("bot", "strategy", "asset")


class Exposure:
    """A part of `Positions`. Stays after a bot's death, as they do."""

    def __init__(self, registry: Registry) -> None:
        self.gross = registry.gauge(
            "tradebot_exposure_gross", "Worth of all open positions, in `asset`, the quote asset.", *_LABELS
        )
        self.net = registry.gauge(
            "tradebot_exposure_net", "Worth of long less that of short positions, in `asset`.", *_LABELS
        )

    def show(self, bot: str, strategy: str, asset: str, positions: Iterable[dict[str, Any]]) -> None:
        """Set both from a bot's positions, those of one strategy and asset."""
        gross = net = 0.0
        for one in positions:
            price = one["entry"] if one["mark"] is None else one["mark"]
            if one["asset"] == asset and one["labels"][0] == strategy and price is not None:
                worth = price * (one["quantity"] or 0.0)
                gross += worth
                net += -worth if one["labels"][3] == "short" else worth
        key = (bot, strategy, asset)
        self.gross.set(key, gross)
        self.net.set(key, net)
