"""The run: a sidecar and its load, in the background and with low priority."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests import running
from tests.endurance.load import RATE
from tests.soak import count
from tests.waiting import eventually

SECONDS = count(180, 600)
EVENTS = RATE * SECONDS
NICE = ["nice", "-n", "5"]
PATIENCE = 5.0
"""How many times as long as planned it may take on a machine that has other work."""


class Note(NamedTuple):
    """What was seen at one second."""

    seconds: float
    events: int
    bytes: int


class Endurance:
    """A run under way."""

    def __init__(self, notes: Path, load: subprocess.Popen[bytes], output: Path) -> None:
        self._notes = notes
        self._load = load
        self._output = output
        self._deadline = time.monotonic() + PATIENCE * SECONDS

    def finished(self) -> list[Note]:
        """Wait for the end; all notes."""
        eventually(lambda: self._load.poll() is not None, max(1.0, self._deadline - time.monotonic()), every=0.5)
        assert self._load.returncode == 0, self._output.read_text()
        rows = (line.split() for line in self._notes.read_text().splitlines())
        return [Note(float(seconds), int(events), int(size)) for seconds, events, size in rows]


@contextlib.contextmanager
def endurance(folder: Path) -> Iterator[Endurance]:
    """Start a run; end it, wherever it is, on leaving."""
    home, output, notes = folder / "home", folder / "endurance.out", folder / "notes"
    home.mkdir(mode=0o700)
    port = running.free_port()
    argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--port", str(port)]
    with _background(argv, output) as sidecar:
        http = running.Http(f"http://127.0.0.1:{port}", home)
        eventually(lambda: http.try_get("/readyz"), 30)
        load = [sys.executable, "-m", "tests.endurance.load", str(home), http.url, str(sidecar.pid), str(EVENTS)]
        with _background([*load, str(notes)], output) as child:
            yield Endurance(notes, child, output)


@contextlib.contextmanager
def _background(argv: list[str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child with low priority, in a process group of its own, which no Ctrl-C of a test reaches."""
    with output.open("ab") as out:
        child = subprocess.Popen(
            [*NICE, *argv], stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, cwd=running.ROOT
        )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
