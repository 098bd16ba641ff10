"""Ethereum's JSON: quantities and byte strings as hex, and back."""

from __future__ import annotations

from typing import Any, TypeAlias

from eth_utils.address import to_checksum_address

Wire: TypeAlias = "dict[str, Any]"
"""A block, transaction, receipt or log as JSON-RPC shows it. `Any`: it is JSON, nested as the specification says."""


class Malformed(ValueError):
    """A parameter is not what the method expects."""


def quantity(value: int) -> str:
    """An integer as the shortest hex, without leading zeros."""
    return hex(value)


def data(value: bytes) -> str:
    """Bytes as hex, two digits each."""
    return "0x" + value.hex()


def address(value: bytes) -> str:
    """Twenty bytes as a checksummed address."""
    return to_checksum_address(value)


def to_int(text: object) -> int:
    """A quantity from the wire."""
    if isinstance(text, str) and text.startswith("0x"):
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise Malformed(f"expected a quantity such as 0x1f, was {text!r}")


def to_bytes(text: object, length: int | None = None) -> bytes:
    """A byte string from the wire, of `length` bytes where that is given."""
    if isinstance(text, str) and text.startswith("0x"):
        try:
            value = bytes.fromhex(text[2:])
        except ValueError:
            value = None
        if value is not None and length in (None, len(value)):
            return value
    wanted = "bytes as hex" if length is None else f"{length} bytes as hex"
    raise Malformed(f"expected {wanted} such as 0x00ff, was {str(text)[:80]!r}")
