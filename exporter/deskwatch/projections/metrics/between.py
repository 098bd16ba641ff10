"""Time between two records."""

from __future__ import annotations


def seconds_between(first_ns: int, second_ns: int) -> float:
    """Seconds from one record's time to another's; 0 where the bot's clock stepped back in between."""
    return max(second_ns - first_ns, 0) / 1e9
