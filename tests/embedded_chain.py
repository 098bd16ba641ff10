"""The demo's own chain as a process, for tests that watch one."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.running import ROOT, process
from tests.waiting import eventually


@contextlib.contextmanager
def embedded_chain(folder: Path, port: int = 0, seed: int = 1) -> Iterator[dict[str, Any]]:
    """It mines by itself, a block in 0.3 s at least; how to reach what is on it."""
    ready = folder / f"chain-{seed}.json"
    argv = [sys.executable, "-m", "arbitrage_bot.chain", "--port", str(port), "--seed", str(seed)]
    path = os.pathsep.join([str(ROOT / "exporter"), str(ROOT / "examples")])
    with process(
        [*argv, "--block-seconds", "0.3", "--ready-file", str(ready)],
        folder / "chain.log",
        env={**os.environ, "PYTHONPATH": path},
    ):
        yield json.loads(eventually(lambda: ready.exists() and ready.read_bytes(), 60))
