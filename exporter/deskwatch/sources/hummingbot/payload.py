"""What Hummingbot's payloads hold, read with care: whoever may publish at the broker can have made them.

Hummingbot's own figures come as JSON numbers or as texts, its times in seconds, milliseconds or microseconds, its enums
as `TradeType.BUY`; a whole number below 0 comes as text (`"-1"`), since its serializer takes only digits for numbers
(`_make_primitive` in its `remote_iface/mqtt.py`).
"""

from __future__ import annotations

import json
import math
from typing import Any

from deskwatch.sources.peer_json import is_too_deep

MOST_BYTES = 1024 * 1024
"""Longest payload that is read of what is published."""
MOST_REPLY_BYTES = 32 * 1024 * 1024
"""Longest reply: a month's trades of a busy bot."""
_YEAR_2001, _YEAR_2100 = 1e9, 4.1e9
_SHORT = 64
_ID = 128

Fields = dict[str, Any]  # Any: whatever JSON holds


def decode(payload: object, most_bytes: int = MOST_BYTES) -> Fields | None:
    """A payload's fields; None where it is no JSON object, or too long, or nested as none of Hummingbot's is."""
    if not isinstance(payload, bytes) or len(payload) > most_bytes or is_too_deep(payload):
        return None
    try:
        found = json.loads(payload, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fields(value: object) -> Fields:
    """A JSON object; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Fields]:
    """The JSON objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object, most: int = 20_000) -> str:
    """A text, cut; a number as text; nothing otherwise."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        return str(value)[:most]
    except ValueError:  # a whole number of thousands of digits
        return ""


def name(value: object, most: int = _SHORT) -> str:
    """A label: a text of printable characters, cut."""
    found = text(value, most * 4).strip()
    return "".join(one for one in found if one.isprintable())[:most]


def identifier(value: object) -> str:
    """An id: as a label, and longer."""
    return name(value, _ID)


def word(value: object) -> str:
    """An enum's name in small letters: `limit_maker` of `OrderType.LIMIT_MAKER`."""
    return name(value).rpartition(".")[2].lower()


def number(value: object) -> float | None:
    """A finite figure, of a number or a text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def moment(value: object) -> float | None:
    """A Unix time in seconds, of one in seconds, milliseconds, microseconds or nanoseconds; None where it is none."""
    found = number(value)
    for _ in range(4):
        if found is None or found < _YEAR_2001:
            return None
        if found < _YEAR_2100:
            return found
        found /= 1000
    return None


def quote_of(pair: str) -> str | None:
    """The quote asset of `BTC-USDT`."""
    base, dash, quote = pair.partition("-")
    return quote if base and dash and quote and "-" not in quote else None
