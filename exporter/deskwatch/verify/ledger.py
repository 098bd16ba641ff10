"""The lines of a journal in columns: what it takes to recognise each in Loki, in 23 bytes of memory a line."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

DELIVERED = 1
"""The sink's cursor says that Loki has it."""
QUARANTINED = 2
"""It lies in the sink's quarantine."""
UNSENDABLE = 4
"""It has no sound envelope, so Loki never gets it."""
EXPIRED = 8
"""Older than what Loki keeps."""
REPEATED = 16
"""The same bytes under the same key stood in the journal before; Loki keeps them once."""
FOUND = 32
"""Loki returned it."""

_MOST_SECONDS = 2**32 - 1


class Ledger:
    """Rows in the journal's order. A row's key is its `seq`, or a number for its place where it has none.

    Attributes:
        keys: Key of each row.
        digests: Hash of each line, good within this process.
        seconds: Time of each line, whole seconds since 1970.
        groups: Number of each row's group.
        states: The flags above.
    """

    def __init__(self) -> None:
        self.keys = array("q")
        self.digests = array("q")
        self.seconds = array("I")
        self.groups = array("H")
        self.states = bytearray()
        self._in_order = True
        self._order: list[int] | None = None
        self._sorted: list[int] = []

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, key: int, line: bytes, ts: int, group: int, state: int) -> None:
        """Take in the journal's next line; `ts` in nanoseconds since 1970."""
        digest = hash(line)
        if self.keys and key <= self.keys[-1]:
            self._in_order = False
        self._order = None
        self.keys.append(key)
        self.digests.append(digest)
        self.seconds.append(min(max(ts // 1_000_000_000, 0), _MOST_SECONDS))
        self.groups.append(group)
        self.states.append(state)

    def rows(self, key: int) -> Iterator[int]:
        """The rows with this key; more than one only in a damaged journal."""
        if self._in_order:
            at = bisect_left(self.keys, key)
            if at < len(self.keys) and self.keys[at] == key:
                yield at
            return
        order = self._sort()
        at = bisect_left(self._sorted, key)
        while at < len(order) and self._sorted[at] == key:
            yield order[at]
            at += 1

    def find(self, key: int, line: bytes) -> int | None:
        """The row of this very line; None where there is none with this key and these bytes."""
        digest = hash(line)
        return next((row for row in self.rows(key) if self.digests[row] == digest), None)

    def mark_repeated(self) -> None:
        """Mark the rows whose key and bytes an earlier row has."""
        if self._in_order:
            return
        seen: set[tuple[int, int]] = set()
        order = self._sort()
        for at, row in enumerate(order):
            if at and self._sorted[at] != self._sorted[at - 1]:
                seen.clear()
            this = (self._sorted[at], self.digests[row])
            if this in seen:
                self.states[row] |= REPEATED
            seen.add(this)

    def _sort(self) -> list[int]:
        if self._order is None:
            self._order = sorted(range(len(self.keys)), key=self.keys.__getitem__)
            self._sorted = [self.keys[row] for row in self._order]
        return self._order
