"""The stream's readers."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """Readers of now, and those that were let go: `slow` ones did not read, for the others there was no room."""
    clients = Gauge("deskwatch_stream_clients", "Readers of the stream.", ())
    clients.set((), len(parts.hub.clients))
    drops = Counter(
        "deskwatch_stream_drops",
        "Readers dropped because they did not read (slow), or turned away (full).",
        ("reason",),
    )
    for reason, count in parts.hub.drops.items():
        drops.inc((reason,), count)
    return [clients, drops]
