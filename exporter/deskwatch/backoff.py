"""Waiting between tries: full jitter, bounded, without a last try."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.25
MOST_SECONDS = 30.0
MOST_ASKED = 10
"""A server's own wish is heeded up to this many times the bound."""


class Backoff:
    """Full jitter (a uniform share of a bound that doubles up to `most_seconds`)."""

    def __init__(self, first_seconds: float = FIRST_SECONDS, most_seconds: float = MOST_SECONDS) -> None:
        self._first = first_seconds
        self._most = most_seconds
        self._tries = 0

    def next_seconds(self, at_least: float = 0.0) -> float:
        """How long to wait before the next try; not less than the server asked for (`Retry-After`), if it is sane."""
        bound = min(self._most, self._first * 2 ** min(self._tries, 30))
        self._tries += 1
        return max(random.uniform(0, bound), min(at_least, self._most * MOST_ASKED))  # noqa: S311  jitter is no secret

    def reset(self) -> None:
        """A try succeeded."""
        self._tries = 0
