"""How a source fares with its peer. Written by the source's thread, read by the sidecar's."""

from __future__ import annotations

import time
from collections import Counter

MOST_REASONS = 20
"""Reasons that are told apart; further ones count as `other`."""
HUNG_SECONDS = 30.0
"""A source whose loop stood still for so long hangs: what it said last of its peer counts no more."""


class Health:
    """Of one source.

    Attributes:
        bot: The bot that it watches.
        kind: What kind of source it is.
        up: Whether the peer answered when it was asked last.
        requests: What was asked of the peer, since the start.
        failures: What it did not answer well, by reason (a short word, bounded in number), since the start.
        answered: When it answered last, Unix time; None before the first time.
        latency_seconds: How long its last answer took; None before the first.
        restarts: How often the source had to be begun again, since the start.
    """

    def __init__(self, bot: str, kind: str) -> None:
        self.bot = bot
        self.kind = kind
        self.up = False
        self.requests = 0
        self.failures: Counter[str] = Counter()
        self.answered: float | None = None
        self.latency_seconds: float | None = None
        self.restarts = 0
        self._turned = time.monotonic()

    @property
    def is_up(self) -> bool:
        """Whether the peer answers, and the source's own loop turns."""
        return self.up and time.monotonic() - self._turned < HUNG_SECONDS

    def turned(self) -> None:
        """The source's loop turns. Its host says this."""
        self._turned = time.monotonic()

    def asked(self) -> None:
        """The peer is asked for something."""
        self.requests += 1

    def heard(self, latency_seconds: float | None = None) -> None:
        """The peer answered, or spoke by itself."""
        self.up = True
        self.answered = time.time()
        if latency_seconds is not None:
            self.latency_seconds = latency_seconds

    def failed(self, reason: str) -> None:
        """The peer did not answer well. Whether it is down is for the source to say."""
        self.failures[reason if reason in self.failures or len(self.failures) < MOST_REASONS else "other"] += 1

    def lost(self) -> None:
        """The peer can't be reached."""
        self.up = False
