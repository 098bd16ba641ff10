"""The sidecar as a child of the bot, for those who want the bot itself to answer `/metrics`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STOP_SECONDS = 5.0
"""How long the child may take to end before it is killed."""


class SidecarChild:
    """A sidecar that lives as long as the bot that started it."""

    def __init__(self, process: subprocess.Popen[bytes] | None) -> None:
        self._process = process

    @classmethod
    def start(cls, home: Path, address: str) -> SidecarChild:
        """Start `deskwatch sidecar` for a home at `host:port`. A failure is told on stderr and doesn't stop the bot."""
        host, _, port = address.rpartition(":")
        argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(home), "--with-parent", str(os.getpid())]
        argv += ["--host", host or "127.0.0.1", "--port", port]
        try:
            return cls(subprocess.Popen(argv, stdin=subprocess.DEVNULL))
        except OSError as error:
            print(f"deskwatch: the sidecar did not start: {error}", file=sys.stderr, flush=True)
            return cls(None)

    def stop(self) -> None:
        """End the child; it is killed if it takes longer than STOP_SECONDS."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
