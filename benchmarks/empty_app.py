"""An empty FastAPI app on uvicorn, as a measure of what any sidecar takes."""

from __future__ import annotations

import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tests import running
from tests.waiting import eventually

_APP = """
import asyncio, fastapi, uvicorn
asyncio.run(uvicorn.Server(uvicorn.Config(fastapi.FastAPI(), port={port}, log_level="error")).serve())
"""
SETTLE_SECONDS = 2.0


def memory_mb() -> float:
    """What it takes a while after it answered its first request, MB."""
    port = running.free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        running.process([sys.executable, "-c", _APP.format(port=port)], Path(folder) / "empty.out") as child,
    ):
        eventually(lambda: _answers(port), 20)
        time.sleep(SETTLE_SECONDS)
        return float(psutil.Process(child.pid).memory_info().rss / 1e6)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
