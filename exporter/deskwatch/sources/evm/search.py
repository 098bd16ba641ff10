"""Finding the blocks that hold an account's transactions, by its nonce: it rises by one with each.

An account that sent nothing costs no look at any block, however long nobody watched. One that did is found with a few
questions by halves where the node still knows the state of that time (most know 128 blocks, an archive all); else all
blocks of the span have to be read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from deskwatch.sources.evm.question import Question
from deskwatch.sources.evm.reading import Asks
from deskwatch.sources.evm.wire import quantity

MOST_SPANS = 64
"""Spans that are halved at once. An account busier than that has its blocks read as they come."""


class Span(NamedTuple):
    """Blocks in which an account's nonce rose."""

    after: int
    """Number of the block before the first."""
    nonce_after: int
    """Nonce as of that."""
    upto: int
    """Number of the last."""
    nonce_upto: int
    """Nonce as of that."""

    @property
    def blocks(self) -> int:
        """How many blocks."""
        return self.upto - self.after


async def rises(asks: Asks, address: str, span: Span) -> list[Span]:
    """The parts of a span in which the nonce rose: of one block each, but where the node can't tell of that time."""
    done: list[Span] = []
    wide = [span]
    while wide:
        halved = [one for one in wide if one.blocks > 1]
        done += [one for one in wide if one.blocks <= 1]
        if len(halved) > MOST_SPANS:
            return sorted([*done, *halved])
        asked: list[Question] = [
            ("eth_getTransactionCount", (address, hex((one.after + one.upto) // 2))) for one in halved
        ]
        told = await asks.batch(asked) if asked else []
        wide = []
        for one, answer in zip(halved, told, strict=True):
            nonce = quantity(answer)
            if nonce is None or not one.nonce_after <= nonce <= one.nonce_upto:
                done.append(one)  # the node can't tell, or tells of another chain
                continue
            middle = (one.after + one.upto) // 2
            halves = (Span(one.after, one.nonce_after, middle, nonce), Span(middle, nonce, one.upto, one.nonce_upto))
            wide += [half for half in halves if half.nonce_upto > half.nonce_after]
    return sorted(done)


def newest_blocks(spans: Collection[Span], most: int) -> tuple[list[int], int]:
    """The newest `most` blocks of spans, the oldest first, and how many there are beside them.

    Spans may overlap, and may be of millions of blocks: what is left out is counted and never listed.
    """
    found: list[int] = []
    unread = 0
    first = None  # all from here on are taken or counted
    for one in sorted(spans, key=lambda span: span.upto, reverse=True):
        upto = one.upto if first is None else min(one.upto, first - 1)
        if upto <= one.after:
            continue
        taken = min(most - len(found), upto - one.after)
        found += range(upto, upto - taken, -1)
        unread += upto - one.after - taken
        first = one.after + 1
    return found[::-1], unread
