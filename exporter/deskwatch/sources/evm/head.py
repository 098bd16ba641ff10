"""A block's head, as parts are told of it."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.sources.evm.errors import Garbled
from deskwatch.sources.evm.wire import count, is_hash, quantity, whole, words


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """One block of the chain that is followed."""

    number: int
    hash: str
    """`0x` and 64 hex digits, lower case."""
    parent: str
    """The hash of the block before."""
    timestamp: float
    """Its own Unix time in seconds."""
    base_fee: int | None = None
    """Wei for a unit of gas (EIP-1559); None on chains without."""
    gas_used: int | None = None
    gas_limit: int | None = None
    transaction_count: int | None = None
    transactions: tuple[dict[str, Any], ...] | None = None
    """As the node gave them, each an object (its values may be anything); None where only their hashes were read."""
    is_newest: bool = True
    """Whether no newer block was known when it was read. Others are read after an outage, or on a fast chain: what is
    asked of `latest` is then not of this block, so state needs no look before the newest."""


def head(block: object, *, is_newest: bool = True) -> Head:
    """A head of what `eth_getBlockByNumber` or a subscription tells.

    Raises:
        Garbled: It is no block.
    """
    if not isinstance(block, dict):
        raise Garbled(f"expected a block, was {words(block)!r}")
    own, parent = block.get("hash"), block.get("parentHash")
    if not is_hash(own) or not is_hash(parent):
        raise Garbled(f"expected a block with its hash and its parent's, was {words(own)!r} and {words(parent)!r}")
    number = whole(block.get("number"), "a block's number")
    timestamp = whole(block.get("timestamp"), "a block's timestamp")
    listed = block.get("transactions")
    full = isinstance(listed, list) and all(isinstance(one, dict) for one in listed)
    return Head(
        number=number,
        hash=str(own).lower(),
        parent=str(parent).lower(),
        timestamp=float(timestamp),
        base_fee=quantity(block.get("baseFeePerGas")),
        gas_used=count(block.get("gasUsed")),
        gas_limit=count(block.get("gasLimit")),
        transaction_count=len(listed) if isinstance(listed, list) else None,
        transactions=tuple(listed) if isinstance(listed, list) and full else None,
        is_newest=is_newest,
    )
