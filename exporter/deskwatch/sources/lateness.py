"""When something happened, for events that are told noticeably later."""

from __future__ import annotations

LATE_SECONDS = 2.0
"""What is told later than this after it happened says when it happened."""


def late(moment: float | None, now: float, grain_seconds: float = 0.0) -> float | None:
    """The moment, where it is noticeably before `now` (both Unix times); None where it is about now, or unknown.

    Args:
        moment: When it happened, as the peer has it.
        now: When it is told.
        grain_seconds: What the peer rounds its times down to.
    """
    return moment if moment is not None and now - moment > LATE_SECONDS + grain_seconds else None
