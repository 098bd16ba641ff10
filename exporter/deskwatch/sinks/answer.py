"""What came of handing lines to a destination."""

from __future__ import annotations

from typing import Literal

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination said.

    Attributes:
        outcome: `stored`; `refused`: this very content will never be taken; `later`: try again.
        reason: The status or the error's name; a label, so few different ones.
        detail: The server's words, cut.
        retry_after: Seconds that the server asked to wait, 0 where it did not.
        rejected: How many of what is stored are not, by the destination's own count (OTLP's partial success).
    """

    outcome: Literal["stored", "refused", "later"]
    reason: str
    detail: str = ""
    retry_after: float = 0.0
    rejected: int = 0
