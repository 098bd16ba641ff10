"""Chain: transactions, gas, blocks and contracts of an EVM chain. Wei are decimal strings."""

from __future__ import annotations

from typing import Literal

from deskwatch.events.base import Event, Integer, Json, Number


class TransactionSent(Event, frozen=True, kw_only=True):
    """The bot is about to send, or has just sent, a transaction."""

    chain: str
    """Chain name or id."""
    transaction: str
    """Its hash."""
    sender: str
    """The address that pays."""
    nonce: Integer
    """The sender's nonce."""
    purpose: str | None = None
    """A short word: `swap`, `approve`, `transfer` …"""
    to: str | None = None
    """Address called."""
    gas_limit: Integer | None = None
    """Gas offered."""
    max_fee_wei: str | None = None
    """Most that is paid for a unit of gas."""


class TransactionConfirmed(Event, frozen=True, kw_only=True):
    """A transaction was mined and succeeded."""

    chain: str
    """Chain name or id."""
    transaction: str
    """Its hash."""
    sender: str
    """The address that paid."""
    block: Integer
    """Block number."""
    gas_used: Integer
    """Units of gas."""
    gas_price_wei: str
    """Paid for each unit (effective gas price)."""
    gas_cost: Number
    """Units times price, and what else the chain took for it (a rollup's `l1Fee`), in `asset`."""
    asset: str
    """The chain's native asset."""
    purpose: str | None = None
    """A short word: `swap`, `approve`, `transfer` …"""
    gas_cost_quote: Number = None
    """The same in `quote_asset`."""
    quote_asset: str | None = None
    """The asset in which the bot is judged."""
    inclusion_seconds: Number = None
    """From sent to mined, as the bot saw it."""
    again: bool = False
    """Told before: a reorg had taken it back, and it was mined anew with the same outcome. Totals count it once."""


class TransactionReverted(Event, frozen=True, kw_only=True):
    """A transaction was mined and failed. Its gas is paid all the same."""

    chain: str
    """Chain name or id."""
    transaction: str
    """Its hash."""
    sender: str
    """The address that paid."""
    block: Integer
    """Block number."""
    gas_used: Integer
    """Units of gas."""
    gas_price_wei: str
    """Paid for each unit (effective gas price)."""
    gas_cost: Number
    """Units times price, and what else the chain took for it (a rollup's `l1Fee`), in `asset`."""
    asset: str
    """The chain's native asset."""
    reason: str
    """A short word for the metric: `slippage`, `expired`, `unknown` …"""
    purpose: str | None = None
    """A short word: `swap`, `approve`, `transfer` …"""
    gas_cost_quote: Number = None
    """The same in `quote_asset`."""
    quote_asset: str | None = None
    """The asset in which the bot is judged."""
    inclusion_seconds: Number = None
    """From sent to mined, as the bot saw it."""
    message: str | None = None
    """The revert's own words."""
    again: bool = False
    """Told before: a reorg had taken it back, and it was mined anew with the same outcome. Totals count it once."""


class TransactionDropped(Event, frozen=True, kw_only=True):
    """A transaction is not on the chain, though it was told as mined, or will hardly be, though it was told as sent."""

    chain: str
    """Chain name or id."""
    transaction: str
    """Its hash."""
    sender: str
    """The address that would pay."""
    nonce: Integer
    """The sender's nonce."""
    reason: Literal["reorganized", "replaced", "forgotten", "unwatched"]
    """`reorganized`: a reorg took its block away; it waits again, and may be mined anew. `replaced`: another one with
    its nonce was mined. `forgotten`: the node has not known of it for long; it could still be mined. `unwatched`:
    its wallet or chain is no longer watched, and what becomes of it is not known."""
    block: Integer | None = None
    """Number of the block that held it."""


class WalletObserved(Event, frozen=True, kw_only=True):
    """An account of the chain: what it has sent, and how long its coin will last."""

    chain: str
    """Chain name or id."""
    venue: str
    """The wallet's short name, which is its metrics' venue."""
    address: str
    """Its address."""
    block: Integer
    """Number of the block as of which this is."""
    nonce: Integer
    """Transactions that it has had mined; the next one's nonce."""
    pending: Integer | None = None
    """Transactions that wait to be mined, as far as the node knows."""
    transactions_left: Number = None
    """How many of its usual transactions its native balance pays for: balance by median cost of its newest ones."""


class GasPriceObserved(Event, frozen=True, kw_only=True):
    """What gas costs now."""

    chain: str
    """Chain name or id."""
    gas_price_wei: str
    """What the node advises for a unit."""
    base_fee_wei: str | None = None
    """Base fee of the newest block (EIP-1559)."""
    priority_fee_wei: str | None = None
    """Tip that is usual now."""


class BlockObserved(Event, frozen=True, kw_only=True):
    """A new head of the chain."""

    chain: str
    """Chain name or id."""
    block: Integer
    """Block number."""
    block_timestamp_seconds: Number
    """The block's own Unix time."""
    transactions: Integer | None = None
    """How many transactions it holds."""
    gas_used: Integer | None = None
    """Units of gas."""
    gas_limit: Integer | None = None
    """Units of gas allowed."""
    hash: str | None = None
    """Its hash."""


class ReorgObserved(Event, frozen=True, kw_only=True):
    """The chain left blocks that were its newest for others. What they held may be mined again, or never."""

    chain: str
    """Chain name or id."""
    block: Integer
    """Number of the newest block that is still of the chain; blocks after it are told anew."""
    depth: Integer
    """How many blocks were left."""
    left: str | None = None
    """Hash of the newest block that was left."""


class ContractObserved(Event, frozen=True, kw_only=True):
    """A view call on a contract."""

    chain: str
    """Chain name or id."""
    contract: str
    """Address."""
    name: str
    """What was read, as configured."""
    value: Number = None
    """The answer, where it is a number."""
    data: Json = None
    """The answer, where it is not."""
