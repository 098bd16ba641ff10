"""How deep a JSON text is nested, before a decoder goes down into it.

Decoders in C stop at Python's recursion limit. Where a library has raised that (py-evm sets it to 100,000), a peer's
`[[[[…` ends the process by a segmentation fault in place of an exception.
"""

from __future__ import annotations

from itertools import accumulate

MAX_DEPTH = 200
"""No peer's answer is nested so deep."""
MAX_BRACKETS = 4_000_000
"""A text with more of them is none that any peer means."""
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


def is_too_deep(text: bytes | bytearray, most: int = MAX_DEPTH) -> bool:
    """Whether a JSON text, or its part before what is no JSON, is nested deeper than `most`. Linear in its length."""
    if text.count(b"[") + text.count(b"{") <= most:
        return False
    outside_strings = b"".join(text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    steps = outside_strings.translate(_STEPS, _OTHERS)
    return len(steps) > MAX_BRACKETS or max(accumulate(memoryview(steps).cast("b")), default=0) > most
