"""How many requests were answered, and how many of them with an error."""

from __future__ import annotations

from deskwatch.sidecar.visitors import Visitors


class Requests:
    """Counts answers.

    Attributes:
        answered: All.
        failed: `4xx` (the caller's fault) and `5xx` (ours, or not ready) → how many of them.
        visitors: Who is connected.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.visitors = Visitors()
        self.failed = {"4xx": 0, "5xx": 0}

    def count(self, status: int) -> None:
        """Take in one answer's HTTP status."""
        self.answered += 1
        if status >= 400:
            self.failed["4xx" if status < 500 else "5xx"] += 1
