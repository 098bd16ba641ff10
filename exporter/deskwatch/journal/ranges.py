"""Sets of whole numbers that are mostly runs: the `seq` of a journal, in the memory of its gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of whole numbers, kept as ranges. Adding them in order costs next to nothing."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for number in numbers:
            self.add(number)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Each range as first and last, both within it, in order."""
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """How many numbers."""
        return sum(last - first + 1 for first, last in self)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def add(self, number: int) -> bool:
        """Put a number in; False if it is there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and number == lasts[-1] + 1:  # the usual case
            lasts[-1] = number
            return True
        at = bisect_right(firsts, number)
        if at > 0 and number <= lasts[at - 1]:
            return False
        after_one = at > 0 and lasts[at - 1] == number - 1
        before_one = at < len(firsts) and firsts[at] == number + 1
        if after_one and before_one:
            lasts[at - 1] = lasts.pop(at)
            del firsts[at]
        elif after_one:
            lasts[at - 1] = number
        elif before_one:
            firsts[at] = number
        else:
            firsts.insert(at, number)
            lasts.insert(at, number)
        return True

    def holes(self, first: int | None = None) -> list[tuple[int, int]]:
        """The ranges that lie between; with `first`, also what is missing from there on to the lowest number."""
        found = [(last + 1, following - 1) for last, following in zip(self._lasts, self._firsts[1:], strict=False)]
        if first is not None and self._firsts and first < self._firsts[0]:
            found.insert(0, (first, self._firsts[0] - 1))
        return found

    @property
    def span(self) -> tuple[int, int] | None:
        """The lowest and the highest number; None where there is none."""
        return (self._firsts[0], self._lasts[-1]) if self._firsts else None
