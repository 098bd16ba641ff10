"""Transactions: what the chain did with them, and what their gas cost."""

from __future__ import annotations

from typing import Any

from deskwatch.events import TransactionConfirmed, TransactionDropped, TransactionReverted, TransactionSent
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_wei
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS
from deskwatch.projections.metrics.memory import identifier, keep
from deskwatch.projections.metrics.registry import Registry

MAX_PENDING = 1000
"""Pending transactions of one bot that are remembered; the oldest is forgotten, and pending no longer, beyond."""


class Transactions:
    """`memory` holds each bot's pending transactions: the chain of each nonce, and the nonce of each hash.

    One that is sent again with a higher fee has another hash and the same nonce, and is the same pending transaction.
    Reverts are counted by reason, which nobody knows before the first. What a reorg took back was counted; mined anew
    with the same outcome (`again`), it is not counted twice.
    """

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.sent = registry.counter("tradebot_transactions_sent", "Transactions sent.", "bot", "chain", "kind")
        self.confirmed = registry.counter(
            "tradebot_transactions_confirmed", "Transactions mined that succeeded.", "bot", "chain", "kind"
        )
        self.reverted = registry.counter(
            "tradebot_transactions_reverted", "Transactions mined that failed.", "bot", "chain", "reason"
        )
        self.dropped = registry.counter(
            "tradebot_transactions_dropped",
            "Transactions replaced, forgotten by nodes, no longer watched, or mined and then taken back by a reorg.",
            *("bot", "chain", "reason"),
        )
        self.pending = registry.gauge(
            "tradebot_transactions_pending", "Transactions sent that are neither mined nor replaced.", "bot", "chain"
        )
        self.gas_used = registry.counter("tradebot_gas_used", "Units of gas, reverts included.", "bot", "chain")
        self.gas_spent = registry.counter(
            "tradebot_gas_spent", "Paid for gas in the chain's native asset.", "bot", "chain", "asset"
        )
        self.gas_spent_quote = registry.counter(
            "tradebot_gas_spent_quote", "Paid for gas, in the asset that the bot is judged in.", "bot", "chain", "asset"
        )
        self.gas_price_paid = registry.gauge(
            "tradebot_gas_price_paid_wei",
            "What the newest mined transaction paid for a unit of gas.",
            *("bot", "chain"),
            lifetime=AGE_SECONDS,
        )
        self.inclusion = registry.histogram(
            "tradebot_transaction_inclusion_seconds", "From sending a transaction to its being mined.", "bot", "chain"
        )
        registry.on(TransactionSent, self._sent)
        registry.on(TransactionConfirmed, self._confirmed)
        registry.on(TransactionReverted, self._reverted)
        registry.on(TransactionDropped, self._dropped)

    def _sent(self, record: Record, event: TransactionSent) -> None:
        key = (record.bot, label(event.chain), label(event.purpose))
        if key not in self.sent.cells:
            self.confirmed.inc(key, 0)
            self.gas_used.inc(key[:2], 0)
        self.sent.inc(key)
        self._wait(record, event)

    def _wait(self, record: Record, event: TransactionSent | TransactionDropped) -> None:
        chain = label(event.chain)
        known = self.memory.setdefault(record.bot, {"nonces": {}, "hashes": {}})
        nonce = f"{chain} {identifier(event.sender)} {event.nonce}"
        keep(known["hashes"], identifier(event.transaction), nonce, MAX_PENDING)
        forgotten = keep(known["nonces"], nonce, chain, MAX_PENDING)
        for one in {chain, forgotten} - {None}:
            self._show_pending(record.bot, one)

    def _confirmed(self, record: Record, event: TransactionConfirmed) -> None:
        if not event.again:
            self.confirmed.inc((record.bot, label(event.chain), label(event.purpose)))
        self._mined(record, event)

    def _reverted(self, record: Record, event: TransactionReverted) -> None:
        if not event.again:
            self.reverted.inc((record.bot, label(event.chain), label(event.reason)))
        self._mined(record, event)

    def _dropped(self, record: Record, event: TransactionDropped) -> None:
        self.dropped.inc((record.bot, label(event.chain), label(event.reason)))
        if event.reason == "reorganized":
            self._wait(record, event)
        else:
            self._wait_no_more(record, event.transaction)

    def _mined(self, record: Record, event: TransactionConfirmed | TransactionReverted) -> None:
        self._wait_no_more(record, event.transaction)
        if event.again:
            return
        key = (record.bot, label(event.chain))
        self.gas_used.inc(key, event.gas_used)
        self.gas_spent.inc((*key, label(event.asset)), event.gas_cost)
        if event.gas_cost_quote is not None:
            self.gas_spent_quote.inc((*key, label(event.quote_asset)), event.gas_cost_quote)
        set_wei(self.gas_price_paid, key, event.gas_price_wei)
        self.inclusion.observe(key, event.inclusion_seconds, event.trace)

    def _wait_no_more(self, record: Record, transaction: str) -> None:
        known = self.memory.get(record.bot)
        nonce = None if known is None else known["hashes"].pop(identifier(transaction), None)
        chain = None if known is None or nonce is None else known["nonces"].pop(nonce, None)
        if chain is not None:
            self._show_pending(record.bot, chain)

    def _show_pending(self, bot: str, chain: str) -> None:
        self.pending.set((bot, chain), sum(one == chain for one in self.memory[bot]["nonces"].values()))
