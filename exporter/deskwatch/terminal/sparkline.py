"""A curve in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Values, oldest first, as blocks from the least to the greatest; each column is the last value of its share."""
    finite = [value / 2 for value in values if math.isfinite(value)]  # so that their span is finite too
    if not finite or width < 1:
        return ""
    count = min(width, len(finite))
    shown = [finite[(at + 1) * len(finite) // count - 1] for at in range(count)]
    least, span = min(shown), max(shown) - min(shown)
    if span <= 0:
        return _BLOCKS[3] * count
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int((value - least) / span * len(_BLOCKS)))] for value in shown)
