"""One process of the demo: its command, its output file, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

STOP_SECONDS = 12.0
"""How long a part may take to end before it is killed."""


class Part:
    """A process in a session of its own, so that Ctrl-C reaches the launcher only, and tied to the launcher's life.

    Attributes:
        name: What it is called, and its output file's name.
    """

    def __init__(self, name: str, module: list[str], logs: Path, path: Path) -> None:
        self.name = name
        self.log_path = logs / f"{name}.log"
        self._module = module
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def was_started(self) -> bool:
        """Whether it was ever started here."""
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs or was never started."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it, its output appended to its file."""
        paths = [str(self._path), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
        leash = [sys.executable, "-m", "deskwatch.leash"]
        with self.log_path.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash, sys.executable, "-m", *self._module],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ask it to end; kill what is left of its group after STOP_SECONDS."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its output, to be shown when it failed."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        return ""
