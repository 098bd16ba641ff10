"""Trades: closed positions and what they made. Win rate and profit factor are left to PromQL."""

from __future__ import annotations

from typing import Any

from deskwatch.events import FundingPaid, PositionClosed
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

_BY_SYMBOL = ("bot", "strategy", "symbol")


class Trades:
    """Profit and loss are two counters; their difference is the realized PnL."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.closed = registry.counter("tradebot_trades_closed", "Positions closed.", *_BY_SYMBOL)
        self.won = registry.counter("tradebot_trades_won", "Positions closed with a profit.", *_BY_SYMBOL)
        self.profit = registry.counter("tradebot_profit", "Sum of winning trades, in `asset`.", *_BY_SYMBOL, "asset")
        self.loss = registry.counter(
            "tradebot_loss", "Sum of losing trades, positive, in `asset`.", *_BY_SYMBOL, "asset"
        )
        self.pnl = registry.gauge("tradebot_realized_pnl", "Profit less loss, in `asset`.", *_BY_SYMBOL, "asset")
        self.costs = registry.counter(
            "tradebot_trade_costs", "Fees, gas and funding within closed trades, in `asset`.", *_BY_SYMBOL, "asset"
        )
        self.best = registry.gauge("tradebot_best_trade", "Largest profit of one trade.", *_BY_SYMBOL, "asset")
        self.worst = registry.gauge(
            "tradebot_worst_trade", "Largest loss of one trade, negative.", *_BY_SYMBOL, "asset"
        )
        self.funding_received = registry.counter(
            "tradebot_funding_received", "Funding received, in `asset`.", "bot", "venue", "symbol", "asset"
        )
        self.funding_paid = registry.counter(
            "tradebot_funding_paid", "Funding paid, positive, in `asset`.", "bot", "venue", "symbol", "asset"
        )
        registry.on(PositionClosed, self._closed)
        registry.on(FundingPaid, self._funding)

    def _closed(self, record: Record, event: PositionClosed) -> None:
        key = (record.bot, label(event.strategy), label(event.symbol))
        money = (*key, label(event.asset))
        pnl = event.realized_pnl
        self.closed.inc(key)
        if pnl is None:
            return
        self.won.inc(key, 1 if pnl > 0 else 0)
        self.profit.inc(money, max(pnl, 0.0))
        self.loss.inc(money, max(-pnl, 0.0))
        self.pnl.set(money, self.profit.get(money) - self.loss.get(money))
        self.costs.inc(money, event.costs)
        self.best.set(money, max(self.best.get(money), pnl))
        self.worst.set(money, min(self.worst.get(money), pnl))

    def _funding(self, record: Record, event: FundingPaid) -> None:
        key = (record.bot, label(event.venue), label(event.symbol), label(event.asset))
        amount = event.amount or 0.0
        self.funding_received.inc(key, max(amount, 0.0))
        self.funding_paid.inc(key, max(-amount, 0.0))
