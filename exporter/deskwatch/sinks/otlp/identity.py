"""Ids of traces and spans. A span's is a hash, so that a line that is delivered again gives the same span again."""

from __future__ import annotations

import hashlib
import re

_TRACE = re.compile(r"[0-9a-f]{32}", re.ASCII)


def trace_id(text: str | None) -> int:
    """An event's `trace` as the number it is; 0 where there is none, or it is no W3C trace id."""
    return int(text, 16) if text is not None and _TRACE.fullmatch(text) else 0


def span_id(bot: str, trace: int, name: str) -> int:
    """The id of a span within a trace of a bot; never 0.

    Args:
        bot: Whose.
        trace: Which trace.
        name: What tells the span from others of that trace: the kind and the id of what it is about.
    """
    digest = hashlib.blake2b(f"{bot}\0{trace:032x}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) or 1
