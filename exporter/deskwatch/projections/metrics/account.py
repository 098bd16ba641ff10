"""Account: balances, equity and the drawdown from its peak, which transfers don't move."""

from __future__ import annotations

from typing import Any

from deskwatch.events import BalanceObserved, EquityObserved, TransferRecorded
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Account:
    """What the bot has."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.balance = registry.gauge("tradebot_balance", "All of an asset at a venue.", "bot", "venue", "asset")
        self.free = registry.gauge("tradebot_balance_free", "What is not locked of it.", "bot", "venue", "asset")
        self.equity = registry.gauge(
            "tradebot_equity", "Worth of all holdings, in `asset`.", "bot", "strategy", "asset"
        )
        self.peak = registry.gauge(
            "tradebot_equity_peak", "Highest equity, moved by transfers.", "bot", "strategy", "asset"
        )
        self.drawdown = registry.gauge(
            "tradebot_drawdown_ratio", "Loss from the peak, 0 to 1.", "bot", "strategy", "asset"
        )
        self.observed = registry.gauge("tradebot_equity_timestamp_seconds", "Unix time of the newest equity.", "bot")
        self.transfers = registry.counter("tradebot_transfers", "Deposits and withdrawals.", "bot", "venue", "asset")
        registry.on(BalanceObserved, self._balance)
        registry.on(EquityObserved, self._equity)
        registry.on(TransferRecorded, self._transfer)

    def _balance(self, record: Record, event: BalanceObserved) -> None:
        key = (record.bot, label(event.venue), label(event.asset))
        self.balance.set(key, event.total)
        self.free.set(key, event.free)

    def _equity(self, record: Record, event: EquityObserved) -> None:
        key = (record.bot, label(event.strategy), label(event.asset))
        if event.equity is None:
            return
        self.equity.set(key, event.equity)
        self.observed.set_time((record.bot,))
        peak = max(self.peak.get(key, event.equity), event.equity)
        self.peak.set(key, peak)
        self.drawdown.set(key, 1 - event.equity / peak if peak > 0 else 0.0)

    def _transfer(self, record: Record, event: TransferRecorded) -> None:
        self.transfers.inc((record.bot, label(event.venue), label(event.asset)))
        for key, peak in list(self.peak.series.items()):
            if key[0] == record.bot and event.value is not None:
                self.peak.set(key, peak + event.value)
