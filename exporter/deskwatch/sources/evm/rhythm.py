"""How fast a chain makes blocks, and what follows from that: how often to look, and when a node lies stale."""

from __future__ import annotations

from collections.abc import Sequence

USUAL_SECONDS = 12.0
"""Ethereum's, until the chain has shown its own."""
LEAST_SECONDS, MOST_SECONDS = 0.1, 60.0
"""A development chain may rest for hours between blocks: that is not its rhythm."""
STALE_BLOCKS = 5
STALE_AT_LEAST_SECONDS = 15.0
LOOK_AT_LEAST_SECONDS, LOOK_AT_MOST_SECONDS = 1.0, 15.0


class Rhythm:
    """Of one chain.

    Attributes:
        block_seconds: From block to block, on average.
        is_known: Whether the chain has shown it.
    """

    def __init__(self, poll_seconds: float | None, stale_seconds: float | None) -> None:
        self.block_seconds = USUAL_SECONDS
        self.is_known = False
        self._poll = poll_seconds
        self._stale = stale_seconds

    def learn(self, blocks: Sequence[tuple[int, float]]) -> None:
        """Number and own time (Unix seconds) of blocks, the oldest first."""
        if len(blocks) < 2 or blocks[-1][0] <= blocks[0][0]:
            return
        per_block = (blocks[-1][1] - blocks[0][1]) / (blocks[-1][0] - blocks[0][0])
        self.is_known = True
        self.block_seconds = min(max(per_block, LEAST_SECONDS), MOST_SECONDS)

    @property
    def poll_seconds(self) -> float:
        """From look to look."""
        if self._poll is not None:
            return self._poll
        return min(max(self.block_seconds / 2, LOOK_AT_LEAST_SECONDS), LOOK_AT_MOST_SECONDS)

    @property
    def stale_seconds(self) -> float:
        """A node whose head is older than others' by so much lies stale."""
        if self._stale is not None:
            return self._stale
        return max(STALE_BLOCKS * self.block_seconds, STALE_AT_LEAST_SECONDS)

    @property
    def stale_blocks(self) -> int:
        """The same in blocks: at least two, as nodes hear of a block one after the other."""
        return max(2, round(self.stale_seconds / self.block_seconds))
