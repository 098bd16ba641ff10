"""Which deskwatch this is."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Family, Gauge
from deskwatch.sidecar.parts import Parts
from deskwatch.version import __version__


def families(_: Parts) -> list[Family[Any]]:
    """One series that is always 1."""
    info = Gauge("deskwatch_build_info", "1, with the version.", ("version",))
    info.set((__version__,), 1.0)
    return [info]
