"""The checkpoint: when it was written, how large it is, how long that took."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """The newest checkpoint on disk, this sidecar's or the one that it started from. No series before the first."""
    written = parts.feed.checkpoint.written
    timestamp = Gauge("deskwatch_checkpoint_timestamp_seconds", "When the checkpoint was written, Unix time.", ())
    size = Gauge("deskwatch_checkpoint_size_bytes", "Size of the checkpoint.", ())
    duration = Gauge("deskwatch_checkpoint_duration_seconds", "Time that making and writing it took.", ())
    if written is not None:
        timestamp.set((), written.at_seconds)
        size.set((), written.bytes)
        duration.set((), written.duration_seconds)
    failures = Counter("deskwatch_checkpoint_failures", "Checkpoints that could not be written.", ())
    failures.inc((), parts.feed.checkpoint_failures)
    return [timestamp, size, duration, failures]
