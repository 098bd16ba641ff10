"""Every family that a sidecar can serve, from one that runs within this process and has all its parts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from deskwatch.projections.metrics import Counter, Family, Histogram
from deskwatch.sidecar.own_metrics import collect
from tests.unit.sidecar.serving import serving

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there."""


def families(home: Path) -> list[Family[Any]]:
    """All families, also those that have no series yet."""
    return asyncio.run(_families(home))


async def _families(home: Path) -> list[Family[Any]]:
    async with serving(home, loki_url=NOWHERE) as desk:
        await desk.parts.samples.take()
        return collect(desk.parts)


def names(some: list[Family[Any]]) -> set[str]:
    """Names of their time series, as PromQL knows them."""
    found = set()
    for family in some:
        if isinstance(family, Histogram):
            found |= {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
        else:
            found.add(scraped_name(family))
    return found


def scraped_name(family: Family[Any]) -> str:
    """A family's name as a Prometheus that scrapes text knows it: that of a counter ends in `_total`."""
    return family.name + ("_total" if isinstance(family, Counter) else "")
