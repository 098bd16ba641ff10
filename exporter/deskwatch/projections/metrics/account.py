"""Account: balances, equity and the drawdown from its peak, which transfers don't move.

Equity and drawdown stay after a bot's death, beside `tradebot_equity_timestamp_seconds`.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import BalanceObserved, EquityObserved, TransferRecorded
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import Labels, label
from deskwatch.projections.metrics.figures import is_sane
from deskwatch.projections.metrics.registry import Registry

_BY_ASSET = ("bot", "venue", "asset")
_BY_STRATEGY = ("bot", "strategy", "asset")


class Account:
    """What the bot has. A balance below 0 is a debt, as in a margin account."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.balance = registry.gauge("tradebot_balance", "All of an asset at a venue.", *_BY_ASSET)
        self.free = registry.gauge("tradebot_balance_free", "What is not locked of an asset at a venue.", *_BY_ASSET)
        self.balance_seen = registry.gauge(
            "tradebot_balance_timestamp_seconds", "Unix time of the newest balance.", "bot", "venue"
        )
        self.equity = registry.gauge("tradebot_equity", "Worth of all holdings, in `asset`.", *_BY_STRATEGY)
        self.peak = registry.gauge("tradebot_equity_peak", "Highest equity, moved by transfers.", *_BY_STRATEGY)
        self.drawdown = registry.gauge("tradebot_drawdown_ratio", "Loss from the peak, 0 to 1.", *_BY_STRATEGY)
        self.seen = registry.gauge(
            "tradebot_equity_timestamp_seconds", "Unix time of the newest equity.", *_BY_STRATEGY
        )
        self.transfers = registry.counter("tradebot_transfers", "Deposits and withdrawals.", *_BY_ASSET)
        self.deposited = registry.counter("tradebot_deposited", "What came in by transfers.", *_BY_ASSET)
        self.withdrawn = registry.counter("tradebot_withdrawn", "What went out by transfers.", *_BY_ASSET)
        registry.on(BalanceObserved, self._balance)
        registry.on(EquityObserved, self._equity)
        registry.on(TransferRecorded, self._transfer)

    def _balance(self, record: Record, event: BalanceObserved) -> None:
        key = (record.bot, label(event.venue), label(event.asset))
        self.balance.set(key, event.total)
        self.free.set(key, event.free)
        self.balance_seen.set_time(key[:2])

    def _equity(self, record: Record, event: EquityObserved) -> None:
        key = (record.bot, label(event.strategy), label(event.asset))
        equity = event.equity
        if equity is None or not is_sane(self.equity, key, equity):  # a peak of 1e300 would be a drawdown for ever
            return
        self.equity.set(key, equity)
        self.seen.set_time(key)
        peak = max(self.peak.get(key, equity), equity)
        self.peak.set(key, peak)
        self.drawdown.set(key, min(1 - equity / peak, 1.0) if peak > 0 else 0.0)

    def _transfer(self, record: Record, event: TransferRecorded) -> None:
        key = (record.bot, label(event.venue), label(event.asset))
        self.transfers.inc(key)
        if event.amount is not None:
            self.deposited.inc(key, max(event.amount, 0.0))
            self.withdrawn.inc(key, max(-event.amount, 0.0))
        for peak in self._peaks_of(record.bot, label(event.strategy), label(event.asset)):
            value = event.value
            if value is None and peak[2] == key[2]:
                value = event.amount
            if value is not None and is_sane(self.peak, peak, value):
                self.peak.set(peak, self.peak.get(peak) + value)

    def _peaks_of(self, bot: str, strategy: str, asset: str) -> list[Labels]:
        """The peaks that a transfer moves: its strategy's and the bot's own; else, without a strategy, the only one.

        Where one of them is judged in several assets it is the one in the asset that was moved.
        """
        peaks = [key for key in self.peak.cells if key[0] == bot]
        own = [key for key in peaks if not key[1]]
        found = [[key for key in peaks if key[1] == strategy], own] if strategy else [own or peaks]
        narrowed = ([key for key in some if len(some) == 1 or key[2] == asset] for some in found)
        return [some[0] for some in narrowed if len(some) == 1]
