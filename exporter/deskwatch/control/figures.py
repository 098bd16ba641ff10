"""A bot's figures in few characters, as a terminal shows them. Nothing is summed over assets."""

from __future__ import annotations

import math
from typing import Any

_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "m"))


def mode_words(state: dict[str, Any]) -> str:
    """The mode that a bot acts by; with the desired one where that differs; and whether it runs at all."""
    mode = state.get("mode") or {}
    actual, desired = mode.get("actual") or "unknown", mode.get("desired")
    words = str(actual) if desired in (None, actual) else f"{actual} → {desired}"
    watches = state.get("watches") or {}
    if (watches.get(state.get("writer") or "main") or {}).get("until") is not None:
        return f"{words} (watched no more)"
    if watches and state.get("started") is None and mode.get("actual") is None:
        return "watched"
    return words if state.get("running", True) else f"{words} (not running)"


def age(since: object, now: float) -> str:
    """Time since a moment, in one unit: `4s`, `12m`, `3h`, `2d`; `-` where there is none.

    Args:
        since: Unix seconds, or None.
        now: Unix seconds.
    """
    if not isinstance(since, int | float) or not math.isfinite(since):
        return "-"
    seconds = max(0.0, now - since)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds / size)}{unit}"
    return f"{int(seconds)}s"


def amounts(by_asset: object, most: int = 2) -> str:
    """Amounts by asset: `1,234.50 USDC, 0.2 ETH`; those beyond `most` as a count; `-` where there are none."""
    if not isinstance(by_asset, dict) or not by_asset:
        return "-"
    shown = [f"{amount(value)} {asset}" for asset, value in list(by_asset.items())[:most]]
    more = len(by_asset) - most
    return ", ".join(shown) + (f" +{more}" if more > 0 else "")


def amount(value: object) -> str:
    """A number with thousands separators and no more digits than tell something: 2 from 1 on, else 4 significant."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    if abs(value) >= 1e12:
        return f"{value:.3e}"
    if abs(value) >= 1 or value == 0:
        return f"{value:,.2f}"
    return f"{value:.4g}"


def compact(value: object) -> str:
    """A number in at most 8 characters: `1,234.50`, `123.5k`, `12.3M`."""
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) >= 10_000:
        for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size * 0.9995 and abs(value) < 1e12:
                return f"{value / size:.1f}{unit}"
    return amount(value)
