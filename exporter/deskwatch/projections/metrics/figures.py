"""What a figure must be before a gauge takes it. One that is not is refused, and counted, and what was there stays."""

from __future__ import annotations

import math

from deskwatch.events import Number
from deskwatch.projections.metrics.family import MAX_AMOUNT, Family, Gauge, Labels

MAX_WEI_DIGITS = 78
"""Digits of the largest number of 256 bits."""


def set_amount(gauge: Gauge, labels: Labels, value: Number) -> None:
    """Set what can't be negative: a quantity, a time span, a volume."""
    if value is not None and value < 0:
        gauge.refuse(labels, "negative")
    else:
        gauge.set(labels, value)


def set_price(gauge: Gauge, labels: Labels, value: Number) -> bool:
    """Set what must be above 0; returns whether it was. What trades for nothing has no price."""
    if value is None:
        return False
    if value <= 0:
        gauge.refuse(labels, "negative" if value < 0 else "out_of_range")
        return False
    gauge.set(labels, value)
    return True


def set_change(gauge: Gauge, labels: Labels, value: Number) -> None:
    """Set a relative change, which loses 1, all, at most."""
    if value is not None and value < -1:
        gauge.refuse(labels, "out_of_range")
    else:
        gauge.set(labels, value)


def set_wei(gauge: Gauge, labels: Labels, text: str | None) -> bool:
    """Set an amount of wei from its decimal digits; returns whether it was. Other text is no number, and refused."""
    if text is None:
        return False
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_WEI_DIGITS):
        gauge.refuse(labels, "negative" if text.startswith("-") else "not_a_number")
        return False
    gauge.set(labels, float(text))
    return True


def is_sane(family: Family[float], labels: Labels, amount: float) -> bool:
    """Whether an amount of either sign can be meant; refuses it where not."""
    if -MAX_AMOUNT < amount < MAX_AMOUNT:
        return True
    family.refuse(labels, "too_large" if math.isfinite(amount) else "not_finite")
    return False
