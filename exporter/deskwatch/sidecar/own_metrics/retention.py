"""The journals' sizes, and what retention removed of them."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """As of retention's last run."""
    retention = parts.retention
    size = Gauge("deskwatch_journal_bytes", "Size of a journal, as of the last minute.", ("bot", "writer"))
    for key, value in retention.sizes.items():
        size.set(key, value)
    removed = Counter("deskwatch_retention_removed_segments", "Segments that retention removed.", ("bot",))
    base = retention.base
    for bot, count in base.removed.items():
        removed.inc((bot,), count)
    overflowed = Counter(
        "deskwatch_retention_overflow_lines",
        "Lines that went at the hard disk budget though a sink had not delivered them.",
        ("bot", "kind"),
    )
    for key, count in base.overflowed.items():
        overflowed.inc(key, count)
    failures = Counter("deskwatch_retention_failures", "Runs of retention that failed.", ())
    failures.inc((), retention.failures)
    whole = Gauge("deskwatch_base_whole", "0 where figures that retention removed could not all be taken back.", ())
    whole.set((), parts.feed.base_is_whole and base.is_whole)
    return [size, removed, overflowed, failures, whole]
