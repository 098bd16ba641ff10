"""How often a fault test repeats: the usual count, or the long one when DESKWATCH_SOAK is set."""

from __future__ import annotations

import os


def count(usual: int, soak: int) -> int:
    """`soak` when DESKWATCH_SOAK is set, else `usual`."""
    return soak if os.environ.get("DESKWATCH_SOAK") else usual
