"""All of it at once: a sidecar that runs arb-1, the other bots, what an old bot left behind, and the operator."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from deskwatch import Recorder
from deskwatch.events import LogRecorded, PositionClosed
from tests import running
from tests.lines import segment_files
from tests.lively.operator import operating
from tests.waiting import eventually

MAX_SERIES = 100


@contextlib.contextmanager
def lively(folder: Path, *flags: str, port: int | None = None) -> Iterator[running.Http]:
    """Everything, until leaving.

    Args:
        folder: Gets the home `home`, and the programs' output.
        flags: For the sidecar: `--loki-url` …
        port: The sidecar's, else a free one.
    """
    home = folder / "home"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _leave_behind(home)
    port = port or running.free_port()
    bots = [sys.executable, "-m", "tests.lively.bots", str(home)]
    sidecar = [sys.executable, "-m", "deskwatch", "run", "--home", str(home), "--port", str(port), "--bot", "arb-1"]
    sidecar += ["--max-series", str(MAX_SERIES), "--backoff-seconds", "0.5", *flags, "--", *bots, "arb-1"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(running.process(sidecar, folder / "sidecar.out", cwd=running.ROOT))
        http = running.Http(f"http://127.0.0.1:{port}", home)
        eventually(lambda: http.try_get("/readyz"), 60, every=0.2)
        others = [*bots, "carry-1", "sage-1"]
        stack.enter_context(running.process(others, folder / "bots.out", cwd=running.ROOT))
        eventually(lambda: http.try_get("/readyz") and _are_known(http), 60, every=0.2)
        stack.enter_context(operating(http))
        yield http


def _are_known(http: running.Http) -> bool:
    return all(
        http.request("GET", f"/bots/{bot}/snapshot", token=http.token)[0] == 200 for bot in ("carry-1", "sage-1")
    )


def _leave_behind(home: Path) -> None:
    """The journal of a bot that was stopped: a hole in it, and a line that is none."""
    if segment_files(home, bot="old-1"):
        return
    with Recorder.open("old-1", home=home, version="0.9.0") as recorder:
        for number in range(10):
            recorder.emit(LogRecorded(message=f"note {number}", levelname="INFO", name="bot"))
        closed = PositionClosed(position_id="p", venue="dune", symbol="WETH/USDC", realized_pnl=-4.0, asset="USDC")
        recorder.emit(closed)
    (segment,) = segment_files(home, bot="old-1")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines[:4], b"no event\n", *lines[6:]]))
