"""Since when the counters count, and which sidecar tells: kept, so that a restart is no reset."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import msgspec

from deskwatch import atomic


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """`<home>/otlp.json`.

    Attributes:
        start: When the counters of this home began, ns since 1970.
        instance: `service.instance.id` of this home's sidecar.
    """

    start: int
    instance: str


def load(home: Path, *, anew: bool = False) -> Since:
    """What is kept; made where there is nothing that can be read.

    Args:
        home: Whose.
        anew: The counters begin anew: what was counted before is lost.

    Raises:
        OSError: It can't be written.
    """
    path = home / "otlp.json"
    now = time.time_ns()
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Since)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        known = Since(start=now, instance=str(uuid.uuid4()))
    else:
        if not anew:
            return known
        known = msgspec.structs.replace(known, start=now)
    atomic.write(path, msgspec.json.encode(known))
    return known
