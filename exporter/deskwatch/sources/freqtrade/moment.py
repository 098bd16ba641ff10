"""When something happened, for events that come noticeably later."""

from __future__ import annotations

LATE_SECONDS = 2.0


def late(moment: float | None, now: float) -> float | None:
    """The moment, where it is noticeably before `now` (both Unix times); None where it is about now, or unknown."""
    return moment if moment is not None and now - moment > LATE_SECONDS else None
