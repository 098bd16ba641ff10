"""Reading what nodes write: quantities as hex digits, bytes as hex digits, text of any kind. All of it may be wrong.

Format: the JSON-RPC specification of Ethereum's execution clients (ethereum/execution-apis), "Value encodings".
"""

from __future__ import annotations

import re

from deskwatch.harmless import harmless
from deskwatch.sources.evm.errors import Garbled

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
MAX_WORDS = 200
MOST = 2**63
"""The vocabulary's whole numbers end before it."""


def quantity(value: object) -> int | None:
    """The number that `0x…` digits say (at most 256 bits); None of anything else."""
    return int(value, 16) if isinstance(value, str) and _QUANTITY.fullmatch(value) else None


def count(value: object) -> int | None:
    """As `quantity`, of what is counted; None too of more than the vocabulary's whole numbers hold."""
    found = quantity(value)
    return None if found is None or found >= MOST else found


def required(value: object, what: str) -> int:
    """As `quantity`, where there must be one.

    Raises:
        Garbled: There is none.
    """
    found = quantity(value)
    if found is None:
        raise Garbled(f"expected {what} as 0x and hex digits, was {words(value)!r}")
    return found


def whole(value: object, what: str) -> int:
    """As `required`, where the number is counted by: the vocabulary's whole numbers end at 63 bits.

    Raises:
        Garbled: There is none, or a larger one.
    """
    found = required(value, what)
    if found >= MOST:
        raise Garbled(f"expected {what} below 2^63, was {found}")
    return found


def is_hash(value: object) -> bool:
    """Whether it is 32 bytes as `0x` and 64 hex digits."""
    return isinstance(value, str) and len(value) == 66 and _BYTES.fullmatch(value) is not None


def is_bytes(value: object) -> bool:
    """Whether it is `0x` and pairs of hex digits."""
    return isinstance(value, str) and _BYTES.fullmatch(value) is not None


def words(value: object, most: int = MAX_WORDS) -> str:
    """A node's text as people may be shown it: short, and harmless in a terminal."""
    text = value if isinstance(value, str) else repr(value)
    return harmless(text[:most])
