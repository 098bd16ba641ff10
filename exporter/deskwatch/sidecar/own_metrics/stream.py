"""The stream's readers."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """Readers of now, what was sent, and those that were let go, turned away, or came back."""
    hub = parts.hub
    clients = Gauge("deskwatch_stream_clients", "Readers of the stream.", ())
    clients.set((), len(hub.readers))
    messages = Counter("deskwatch_stream_messages", "Messages sent to readers of the stream.", ())
    messages.inc((), hub.sent)
    drops = Counter(
        "deskwatch_stream_drops",
        "Readers dropped because they did not read (slow), a journal was not as it was left (resync) or the sidecar "
        "ended (closing), or turned away (full).",
        ("reason",),
    )
    for reason, count in hub.drops.items():
        drops.inc((reason,), count)
    resumes = Counter(
        "deskwatch_stream_resumes",
        "Readers that came back with a cursor: told what they missed (resumed), or not, and sent a snapshot (reset).",
        ("result",),
    )
    for result, count in hub.resumes.items():
        resumes.inc((result,), count)
    return [clients, messages, drops, resumes]
