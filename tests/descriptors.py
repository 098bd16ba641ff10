"""Which files this process holds open. Other tests' leftovers come and go meanwhile: a count of all says nothing."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path


def open_files() -> Counter[str]:
    """Where this process's descriptors lead → how many do."""
    found: Counter[str] = Counter()
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found[os.readlink(f"/proc/self/fd/{fd}")] += 1
    return found


def open_below(folder: Path) -> int:
    """How many descriptors lead to a folder or to what is in it, also where that was removed."""
    root = str(folder)
    return sum(
        count for path, count in open_files().items() if path == root or path.startswith((f"{root}/", f"{root} "))
    )
