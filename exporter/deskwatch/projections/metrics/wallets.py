"""Wallets: accounts of a chain, what waits of theirs, and how long their coin lasts.

What is watched from outside is told when it changes, and every minute or so else.
"""

from __future__ import annotations

from typing import Any

from deskwatch.events import WalletObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.figures import set_amount
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, MARKET_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_WALLET = ("bot", "chain", "venue")


class Wallets:
    """`venue` is the wallet's configured name; its address is an id, and no label."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.nonce = registry.gauge(
            "tradebot_wallet_nonce", "Transactions that a wallet has had mined.", *_BY_WALLET, lifetime=AGE_SECONDS
        )
        self.pending = registry.gauge(
            "tradebot_wallet_pending_transactions",
            "Transactions of a wallet that wait, as its node counts them: its pending nonce less its mined one.",
            *_BY_WALLET,
            lifetime=MARKET_SECONDS,
        )
        self.left = registry.gauge(
            "tradebot_wallet_transactions_left",
            "How many of its usual transactions a wallet's native balance pays for.",
            *_BY_WALLET,
            lifetime=AGE_SECONDS,
        )
        self.seen = registry.gauge(
            "tradebot_wallet_timestamp_seconds",
            "Unix time at which a wallet was seen last.",
            *_BY_WALLET,
            lifetime=AGE_SECONDS,
        )
        registry.on(WalletObserved, self._wallet)

    def _wallet(self, record: Record, event: WalletObserved) -> None:
        key = (record.bot, label(event.chain), label(event.venue))
        set_amount(self.nonce, key, event.nonce)
        set_amount(self.pending, key, event.pending)
        set_amount(self.left, key, event.transactions_left)
        self.seen.set_time(key)
