"""A picture of all families at one moment: made in one go, then rendered or sent at leisure, from any thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deskwatch.projections.metrics.family import Family, Reading

SLICE_SECONDS = 0.001
"""How long whoever reads or writes many families on an event loop works before the loop has its turn."""


def readings(families: Iterable[Family[Any]], now: float) -> list[Reading]:
    """What is shown of each family at a Unix time, in their order; families without series are left out."""
    found = (family.read(now) for family in families)
    return [reading for reading in found if reading.cells]
