"""`ctl watch`: events as they happen."""

from __future__ import annotations

from deskwatch.live.access import Access


def show(accesses: list[Access], bots: list[str], kinds: list[str], *, as_document: bool) -> int:
    """Print events until Ctrl-C."""
    del accesses, bots, kinds, as_document
    return 0
