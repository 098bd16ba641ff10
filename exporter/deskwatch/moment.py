"""Times and durations as people type and read them."""

from __future__ import annotations

import re
import time
from datetime import datetime

from deskwatch.errors import ConfigError

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `15m`, `36h`, `30d`, `2w` or `1h30m`.

    Raises:
        ConfigError: It is no duration.
    """
    if not _DURATION.fullmatch(text):
        raise ConfigError(f"expected a duration such as 90s, 15m, 36h, 30d or 2w, was {text!r}")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def parse_moment(text: str) -> int:
    """Nanoseconds since 1970 of a time: ISO 8601, in local time unless it says otherwise, or a duration ago.

    Raises:
        ConfigError: It is neither.
    """
    if _DURATION.fullmatch(text):
        return time.time_ns() - int(parse_duration(text) * 1e9)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1e6) * 1000
    except (ValueError, OverflowError, OSError):
        raise ConfigError(f"expected a time such as 2026-01-31T14:05, 2026-01-31 or 15m (ago), was {text!r}") from None


def local_time(ts: int) -> str:
    """Nanoseconds since 1970 as local time, `2026-01-31 14:05:06.123`; the number where there is no such time."""
    try:
        moment = datetime.fromtimestamp(ts // 1_000_000_000).astimezone()
    except (ValueError, OverflowError, OSError):
        return str(ts)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{ts // 1_000_000 % 1000:03d}"
