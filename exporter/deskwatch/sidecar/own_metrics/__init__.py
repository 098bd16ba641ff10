"""deskwatch about itself: a file for each subject, joined here with the bots' metrics and the samples."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Family
from deskwatch.sidecar.own_metrics import (
    build,
    checkpoint,
    following,
    retention,
    serving,
    sinks,
    sources,
    stream,
    supervision,
)
from deskwatch.sidecar.parts import Parts

SUBJECTS = (following, checkpoint, retention, sources, sinks, stream, serving, supervision, build)
"""Each a module with `families(parts)`: its figures of now, read without I/O."""


def collect(parts: Parts) -> list[Family[Any]]:
    """Every family of now: what the journals say, what was sampled last, and the sidecar's own work."""
    own = [family for subject in SUBJECTS for family in subject.families(parts)]
    return [*parts.feed.projections.metrics.current(), *parts.samples.families(), *own]
