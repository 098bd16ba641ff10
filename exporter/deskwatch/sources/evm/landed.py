"""Transactions as nodes show them: what was asked of the chain, and what their receipts say came of it.

Formats: ethereum/execution-apis, "Transaction object" and "Receipt object". Receipts of OP Stack chains have `l1Fee`:
what the block's place on the chain below costs, paid beside the gas.
"""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.sources.evm.errors import Garbled
from deskwatch.sources.evm.wire import is_bytes, is_hash, quantity, required, whole, words


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction, mined or not."""

    hash: str
    sender: str
    nonce: int
    to: str | None
    """None of one that makes a contract."""
    data: str
    value: str
    """Wei as `0x` and hex digits."""
    gas_limit: int
    max_fee_wei: int | None


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was mined."""

    sending: Sending
    block: int
    timestamp: float
    """The block's own Unix time."""
    succeeded: bool
    gas_used: int
    gas_price_wei: int
    cost_wei: int
    """All that it cost beside its value."""
    returned: str | None
    """What a reverted one returned, where the node wrote it into the receipt."""


def sending(told: object) -> Sending:
    """A transaction of `eth_getTransactionByHash` or of a full block.

    Raises:
        Garbled: It is none.
    """
    if not isinstance(told, dict) or not is_hash(told.get("hash")):
        raise Garbled(f"expected a transaction with its hash, was {words(told)!r}")
    to, data, fee = told.get("to"), told.get("input", told.get("data")), told.get("maxFeePerGas")
    return Sending(
        hash=told["hash"].lower(),
        sender=words(told.get("from"), 42),
        nonce=whole(told.get("nonce"), "a nonce"),
        to=words(to, 42) if isinstance(to, str) else None,
        data=data if isinstance(data, str) and is_bytes(data) else "0x",
        value=hex(quantity(told.get("value")) or 0),
        gas_limit=whole(told.get("gas"), "a transaction's gas"),
        max_fee_wei=quantity(fee if fee is not None else told.get("gasPrice")),
    )


def landed(told: object, receipt: dict[str, Any], timestamp: float) -> Landed:
    """A mined transaction of both.

    Args:
        told: The transaction.
        receipt: Of `eth_getTransactionReceipt`; its values may be anything.
        timestamp: Its block's own Unix time.

    Raises:
        Garbled: They are none.
    """
    gas_used = whole(receipt.get("gasUsed"), "gas used")
    price = quantity(receipt.get("effectiveGasPrice"))
    if price is None:  # nodes from before London
        price = required(told.get("gasPrice") if isinstance(told, dict) else None, "a gas price")
    blobs = (quantity(receipt.get("blobGasUsed")) or 0) * (quantity(receipt.get("blobGasPrice")) or 0)
    below = quantity(receipt.get("l1Fee")) or 0
    returned = receipt.get("revertReason")
    return Landed(
        sending=sending(told),
        block=whole(receipt.get("blockNumber"), "a block's number"),
        timestamp=timestamp,
        succeeded=quantity(receipt.get("status")) != 0,
        gas_used=gas_used,
        gas_price_wei=price,
        cost_wei=gas_used * price + blobs + below,
        returned=returned if is_bytes(returned) else None,
    )
