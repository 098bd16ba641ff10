"""Trades: closed positions and what they made. Win rate and profit factor are left to PromQL."""

from __future__ import annotations

from typing import Any

from deskwatch.events import PositionClosed
from deskwatch.journal import Record
from deskwatch.projections.metrics.buckets import HOLDING_SECONDS
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import is_sane
from deskwatch.projections.metrics.registry import Registry

_BY_SYMBOL = ("bot", "strategy", "symbol")


class Trades:
    """Profit and loss are two counters; their difference is the realized PnL. So are costs and credits.

    A trade that made exactly nothing is neither won nor lost, and ends a losing streak.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.closed = registry.counter("tradebot_trades_closed", "Positions closed.", *_BY_SYMBOL)
        self.won = registry.counter("tradebot_trades_won", "Positions closed with a profit.", *_BY_SYMBOL)
        self.lost = registry.counter("tradebot_trades_lost", "Positions closed with a loss.", *_BY_SYMBOL)
        self.streak = registry.gauge(
            "tradebot_losing_streak", "Trades lost since the last one that was not.", "bot", "strategy"
        )
        self.profit = registry.counter("tradebot_profit", "Sum of winning trades, in `asset`.", *_BY_SYMBOL, "asset")
        self.loss = registry.counter(
            "tradebot_loss", "Sum of losing trades, positive, in `asset`.", *_BY_SYMBOL, "asset"
        )
        self.pnl = registry.gauge("tradebot_realized_pnl", "Profit less loss, in `asset`.", *_BY_SYMBOL, "asset")
        self.costs = registry.counter(
            "tradebot_trade_costs", "Fees, gas and funding within closed trades, in `asset`.", *_BY_SYMBOL, "asset"
        )
        self.credits = registry.counter(
            "tradebot_trade_credits",
            "What closed trades got from rebates and funding beyond their costs, in `asset`.",
            *_BY_SYMBOL,
            "asset",
        )
        self.best = registry.gauge("tradebot_best_trade", "Largest profit of one trade.", *_BY_SYMBOL, "asset")
        self.worst = registry.gauge(
            "tradebot_worst_trade", "Largest loss of one trade, negative.", *_BY_SYMBOL, "asset"
        )
        self.holding = registry.histogram(
            "tradebot_trade_holding_seconds",
            "From opening a position to closing it.",
            *("bot", "strategy"),
            buckets=HOLDING_SECONDS,
        )
        registry.on(PositionClosed, self._closed)

    def _closed(self, record: Record, event: PositionClosed) -> None:
        key = (record.bot, label(event.strategy), label(event.symbol))
        self.closed.inc(key)
        self.holding.observe(key[:2], event.holding_seconds, event.trace)
        pnl = event.realized_pnl
        money = (*key, label(event.asset))
        if pnl is None or not is_sane(self.pnl, money, pnl):
            return
        self.won.inc(key, 1 if pnl > 0 else 0)
        self.lost.inc(key, 1 if pnl < 0 else 0)
        self.streak.set(key[:2], self.streak.get(key[:2]) + 1 if pnl < 0 else 0)
        self.profit.inc(money, max(pnl, 0.0))
        self.loss.inc(money, max(-pnl, 0.0))
        self.pnl.set(money, self.profit.get(money) - self.loss.get(money))
        if event.costs is not None:
            family = self.costs if event.costs >= 0 else self.credits
            family.inc(money, abs(event.costs))
        self.best.set(money, max(self.best.get(money), pnl))
        self.worst.set(money, min(self.worst.get(money), pnl))
