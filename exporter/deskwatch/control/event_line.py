"""An event's own fields in one line, as a terminal may be shown them."""

from __future__ import annotations

from typing import Any

from deskwatch.harmless import as_json, harmless
from deskwatch.live import Entry

MAX_CHARACTERS = 400
_ENVELOPE = frozenset({"v", "ts", "seq", "run", "crc", "type", "cause", "trace"})


def told(entry: Entry) -> str:
    """`symbol ETH/USDC, price 1, …`: what is null is left out, and ids come last."""
    fields = {name: value for name, value in entry.fields.items() if name not in _ENVELOPE and value is not None}
    ids = [name for name in fields if name.endswith("_id")]
    names = (*(name for name in fields if name not in ids), *ids)
    return harmless(", ".join(f"{name} {_shown(fields[name])}" for name in names)[:MAX_CHARACTERS])


def _shown(value: Any) -> str:  # Any: whatever JSON holds
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else as_json(value)
