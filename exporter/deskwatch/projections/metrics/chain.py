"""Chain: transactions, gas and blocks."""

from __future__ import annotations

import math
from typing import Any

from deskwatch.events import (
    BlockObserved,
    GasPriceObserved,
    TransactionConfirmed,
    TransactionReverted,
    TransactionSent,
)
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry


class Chain:
    """What the chain did with the bot's transactions, and what it cost."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.sent = registry.counter("tradebot_transactions_sent", "Transactions sent.", "bot", "chain", "kind")
        self.confirmed = registry.counter(
            "tradebot_transactions_confirmed", "Mined, succeeded.", "bot", "chain", "kind"
        )
        self.reverted = registry.counter("tradebot_transactions_reverted", "Mined, failed.", "bot", "chain", "reason")
        self.gas_used = registry.counter("tradebot_gas_used", "Units of gas, reverts included.", "bot", "chain")
        self.gas_spent = registry.counter(
            "tradebot_gas_spent", "Paid for gas in the chain's native asset.", "bot", "chain", "asset"
        )
        self.gas_spent_quote = registry.counter(
            "tradebot_gas_spent_quote", "The same in the asset the bot is judged in.", "bot", "chain", "asset"
        )
        self.gas_price = registry.gauge("tradebot_gas_price_wei", "Advised price of a unit of gas.", "bot", "chain")
        self.base_fee = registry.gauge("tradebot_base_fee_wei", "Base fee of the newest block.", "bot", "chain")
        self.priority_fee = registry.gauge("tradebot_priority_fee_wei", "Usual tip.", "bot", "chain")
        self.head = registry.gauge("tradebot_head_block", "Number of the newest block seen.", "bot", "chain")
        self.head_seen = registry.gauge(
            "tradebot_head_block_seen_timestamp_seconds", "Unix time at which it was seen.", "bot", "chain"
        )
        self.inclusion = registry.histogram(
            "tradebot_transaction_inclusion_seconds", "From sending to being mined.", "bot", "chain"
        )
        registry.on(TransactionSent, self._sent)
        registry.on(TransactionConfirmed, self._confirmed)
        registry.on(TransactionReverted, self._reverted)
        registry.on(GasPriceObserved, self._gas_price)
        registry.on(BlockObserved, self._block)

    def _sent(self, record: Record, event: TransactionSent) -> None:
        self.sent.inc((record.bot, label(event.chain), label(event.purpose)))

    def _confirmed(self, record: Record, event: TransactionConfirmed) -> None:
        self.confirmed.inc((record.bot, label(event.chain), label(event.purpose)))
        self._mined(record, event)

    def _reverted(self, record: Record, event: TransactionReverted) -> None:
        self.reverted.inc((record.bot, label(event.chain), label(event.reason)))
        self._mined(record, event)

    def _mined(self, record: Record, event: TransactionConfirmed | TransactionReverted) -> None:
        key = (record.bot, label(event.chain))
        self.gas_used.inc(key, event.gas_used)
        self.gas_spent.inc((*key, label(event.asset)), event.gas_cost)
        if event.gas_cost_quote is not None:
            self.gas_spent_quote.inc((*key, label(event.quote_asset)), event.gas_cost_quote)
        self.inclusion.observe(key, event.inclusion_seconds, event.trace)

    def _gas_price(self, record: Record, event: GasPriceObserved) -> None:
        key = (record.bot, label(event.chain))
        self.gas_price.set(key, _wei(event.gas_price_wei))
        self.base_fee.set(key, _wei(event.base_fee_wei))
        self.priority_fee.set(key, _wei(event.priority_fee_wei))

    def _block(self, record: Record, event: BlockObserved) -> None:
        key = (record.bot, label(event.chain))
        self.head.set(key, float(event.block))
        self.head_seen.set_time(key)


def _wei(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return math.nan  # refused by the gauge, and counted
