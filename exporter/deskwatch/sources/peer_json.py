"""Decoding what a peer sent: any text may come, and one that is nested without end is not gone down into.

Decoders in C stop at Python's recursion limit. Where a library has raised that (py-evm sets it to 100,000), a peer's
`[[[[…` ends the process by a segmentation fault in place of an exception.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import msgspec

MAX_DEPTH = 200
"""No peer's answer is nested so deep."""
MAX_BRACKETS = 4_000_000
"""A text with more of them is none that any peer means."""
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


def is_too_deep(text: bytes, most: int = MAX_DEPTH) -> bool:
    """Whether a JSON text, or its part before what is no JSON, is nested deeper than `most`. Linear in its length."""
    if text.count(b"[") + text.count(b"{") <= most:
        return False
    outside_strings = b"".join(text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    steps = outside_strings.translate(_STEPS, _OTHERS)
    return len(steps) > MAX_BRACKETS or max(accumulate(memoryview(steps).cast("b")), default=0) > most


class NotJson(ValueError):
    """A peer's text is no JSON, or none that is decoded."""


def decode(text: bytes | str) -> Any:  # Any: a peer may write any JSON
    """A peer's JSON.

    Raises:
        NotJson: It is none, or is nested too deep.
    """
    body = text.encode(errors="replace") if isinstance(text, str) else text
    if is_too_deep(body):
        raise NotJson(f"it is nested deeper than {MAX_DEPTH}")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
