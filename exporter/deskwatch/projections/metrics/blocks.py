"""Blocks: the head of a chain as the bot saw it, and what gas costs there.

The head's number and times outlive what it held: "the head is old" can be said for a day.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import BlockObserved, GasPriceObserved, ReorgObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount, set_wei
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_CHAIN = ("bot", "chain")


class Blocks:
    """Gas prices are decimal digits of wei; text that is no such number is refused."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.gas_price = registry.gauge(
            "tradebot_gas_price_wei", "Advised price of a unit of gas.", *_BY_CHAIN, lifetime=MARKET_SECONDS
        )
        self.base_fee = registry.gauge(
            "tradebot_base_fee_wei", "Base fee of the newest block.", *_BY_CHAIN, lifetime=MARKET_SECONDS
        )
        self.priority_fee = registry.gauge(
            "tradebot_priority_fee_wei", "Tip for a unit of gas that is usual now.", *_BY_CHAIN, lifetime=MARKET_SECONDS
        )
        self.gas_price_seen = registry.gauge(
            "tradebot_gas_price_timestamp_seconds",
            "Unix time of the newest gas price.",
            *_BY_CHAIN,
            lifetime=AGE_SECONDS,
        )
        self.head = registry.gauge(
            "tradebot_head_block", "Number of the newest block seen.", *_BY_CHAIN, lifetime=AGE_SECONDS
        )
        self.head_seen = registry.gauge(
            "tradebot_head_block_seen_timestamp_seconds",
            "Unix time at which the newest block was seen.",
            *_BY_CHAIN,
            lifetime=AGE_SECONDS,
        )
        self.head_time = registry.gauge(
            "tradebot_head_block_timestamp_seconds",
            "The newest block's own Unix time.",
            *_BY_CHAIN,
            lifetime=AGE_SECONDS,
        )
        self.transactions = registry.gauge(
            "tradebot_head_block_transactions", "Transactions in the newest block.", *_BY_CHAIN, lifetime=MARKET_SECONDS
        )
        self.fullness = registry.gauge(
            "tradebot_head_block_fullness_ratio",
            "Gas used in the newest block, as a part of the gas allowed.",
            *_BY_CHAIN,
            lifetime=MARKET_SECONDS,
        )
        self.reorgs = registry.counter(
            "tradebot_chain_reorgs", "Times that the chain left its newest blocks for others.", *_BY_CHAIN
        )
        self.left = registry.counter(
            "tradebot_chain_left_blocks", "Blocks that the chain left for others in reorgs.", *_BY_CHAIN
        )
        registry.on(GasPriceObserved, self._gas_price)
        registry.on(BlockObserved, self._block)
        registry.on(ReorgObserved, self._reorg)

    def _gas_price(self, record: Record, event: GasPriceObserved) -> None:
        key = (record.bot, label(event.chain))
        if set_wei(self.gas_price, key, event.gas_price_wei):
            self.gas_price_seen.set_time(key)
        set_wei(self.base_fee, key, event.base_fee_wei)
        set_wei(self.priority_fee, key, event.priority_fee_wei)

    def _block(self, record: Record, event: BlockObserved) -> None:
        key = (record.bot, label(event.chain))
        set_amount(self.head, key, event.block)
        self.head_seen.set_time(key)
        set_amount(self.head_time, key, event.block_timestamp_seconds)
        set_amount(self.transactions, key, event.transactions)
        if event.gas_used is not None and event.gas_limit:
            self.fullness.set_ratio(key, event.gas_used / event.gas_limit)

    def _reorg(self, record: Record, event: ReorgObserved) -> None:
        key = (record.bot, label(event.chain))
        self.reorgs.inc(key)
        self.left.inc(key, event.depth)
