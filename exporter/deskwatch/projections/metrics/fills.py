"""Fills: how much was traded, at what cost, and how far from the price that was expected.

`slippage_ratio` is positive where the bot did worse than expected. Its worth in money is the ratio times what the fill
was worth. A fee below 0 is a rebate, which is no fault and has a counter of its own; a price or quantity below 0 is
refused, and so is a slippage that would have given more than everything (below -1).
"""

from __future__ import annotations

from deskwatch.events import OrderFilled
from deskwatch.projections.metrics.buckets import SLIPPAGE_RATIOS
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.registry import Registry

BY_SIDE = ("bot", "strategy", "venue", "symbol", "side")
BY_SYMBOL = ("bot", "strategy", "venue", "symbol")


class Fills:
    """A part of `Orders`, which knows each order's labels."""

    def __init__(self, registry: Registry) -> None:
        self.fills = registry.counter("tradebot_fills", "Fills, whole or in part.", *BY_SIDE)
        self.by_liquidity = registry.counter(
            "tradebot_fills_by_liquidity", "Fills that told whether the bot was `maker` or `taker`.", *BY_SYMBOL, "kind"
        )
        self.volume = registry.counter("tradebot_volume", "Traded, in the quote asset.", *BY_SIDE, "asset")
        self.fees = registry.counter("tradebot_fees", "Fees paid to venues, in their asset.", *BY_SYMBOL, "asset")
        self.rebates = registry.counter(
            "tradebot_rebates", "Fees that venues paid to the bot, in their asset.", *BY_SYMBOL, "asset"
        )
        self.slippage = registry.histogram(
            "tradebot_slippage_ratio",
            "How much worse than expected a fill's price was, 0 where it was better.",
            *("bot", "strategy", "venue"),
            buckets=SLIPPAGE_RATIOS,
        )
        self.lost = registry.counter(
            "tradebot_slippage_lost", "What worse prices than expected cost, in the quote asset.", *BY_SYMBOL, "asset"
        )
        self.gained = registry.counter(
            "tradebot_slippage_gained",
            "What better prices than expected gave, in the quote asset.",
            *BY_SYMBOL,
            "asset",
        )

    def begin(self, side: Labels) -> None:
        """An order of these labels was submitted: it has no fill so far."""
        self.fills.inc(side, 0)

    def add(self, event: OrderFilled, side: Labels) -> None:
        """Count a fill of an order with these labels."""
        self.fills.inc(side)
        worth = None
        money = (*side[:4], label(event.asset))
        if event.price is not None and event.quantity is not None:
            right = event.price >= 0 and event.quantity >= 0
            worth = event.price * event.quantity if right else -1.0  # refused as negative, also where both are
            self.volume.inc((*side, money[4]), worth)
        if event.fee is not None:
            family = self.fees if event.fee >= 0 else self.rebates
            asset = money[4] if event.fee_asset is None else label(event.fee_asset)
            family.inc((*side[:4], asset), abs(event.fee))
        if event.liquidity is not None:
            self.by_liquidity.inc((*side[:4], label(event.liquidity)))
        if event.slippage_ratio is not None:
            self._slip(event.slippage_ratio, worth, money, event.trace)

    def _slip(self, ratio: float, worth: float | None, money: Labels, trace: str | None) -> None:
        if ratio < -1:
            self.slippage.refuse(money[:3], "out_of_range")
            return
        self.slippage.observe(money[:3], max(ratio, 0.0), trace)
        if worth is not None and worth >= 0:
            self.lost.inc(money, max(ratio, 0.0) * worth)
            self.gained.inc(money, max(-ratio, 0.0) * worth)
