"""Addresses, with the checksum that capitals in them are (EIP-55)."""

from __future__ import annotations

import re

from eth_utils.crypto import keccak

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def check_address(text: str) -> str:
    """The address, as it was given.

    Raises:
        ValueError: It is none, or its capitals don't fit its digits, so that one of them was mistyped.
    """
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"expected an address (0x and 40 hex digits), was {text[:80]!r}; copy it anew")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != checksummed(text):
        raise ValueError(
            f"expected an address whose capitals fit its digits (EIP-55), was {text}: a digit is wrong; copy it anew"
        )
    return text


def checksummed(address: str) -> str:
    """The address with EIP-55's capitals."""
    digits = address[2:].lower()
    marks = keccak(text=digits).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def is_same(one: object, other: str) -> bool:
    """Whether what a node wrote is this address, in whatever case."""
    return isinstance(one, str) and one.lower() == other.lower()
