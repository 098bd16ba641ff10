"""What a part of the watch is: wallets, pools and contracts, told of every block that is followed."""

from __future__ import annotations

from typing import Protocol

from deskwatch.sources.evm.head import Head


class Part(Protocol):
    """Looks at something at each head. Parts are told one after the other, a head at a time, in the chain's order."""

    async def at_head(self, head: Head) -> None:
        """A block is followed.

        Raises:
            NoAnswer: No endpoint answers. The part is told of the same head again when one does: what it journaled
                of it before, it knows by its memory.
            NotJournaled: The journal can't be written: the watch is begun again with what is in it.

        Anything else that it raises is told, and the chain goes on.
        """

    async def reorganized(self, depth: int, head: Head) -> None:
        """The newest `depth` blocks that were told are no longer of the chain: `head` is the newest that still is.

        The blocks that took their place are told by `at_head` next.

        Raises:
            NoAnswer: As in `at_head`.
        """
