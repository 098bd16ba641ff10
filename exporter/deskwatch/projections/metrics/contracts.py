"""Contracts: what view calls answered, where it is a number."""

from __future__ import annotations

from typing import Any

from deskwatch.events import ContractObserved
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.lifetimes import AGE_SECONDS, CONTRACT_SECONDS
from deskwatch.projections.metrics.registry import Registry

_BY_NAME = ("bot", "chain", "kind")


class Contracts:
    """`kind` is the reading's configured name; the contract's address is an id, and no label."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.value = registry.gauge(
            "tradebot_contract_value", "Newest answer of a view call.", *_BY_NAME, lifetime=CONTRACT_SECONDS
        )
        self.seen = registry.gauge(
            "tradebot_contract_timestamp_seconds",
            "Unix time of the newest answer, number or not.",
            *_BY_NAME,
            lifetime=AGE_SECONDS,
        )
        registry.on(ContractObserved, self._contract)

    def _contract(self, record: Record, event: ContractObserved) -> None:
        key = (record.bot, label(event.chain), label(event.name))
        self.value.set(key, event.value)
        self.seen.set_time(key)
