"""The configured command that cancels all of a bot's orders, run before the bot is killed, under a time limit."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import msgspec

from deskwatch import leash
from deskwatch.keeper import processes
from deskwatch.keeper.keeping import MARK
from deskwatch.supervised import Supervised

OUTPUT_BYTES = 16 * 1024
"""What is kept of its output: the end."""
LOOK_SECONDS = 0.02
"""Between two looks whether it has ended."""
_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from deskwatch.leash import main; main()"
_ROOT = str(Path(leash.__file__).parents[1])


class HookRun(msgspec.Struct, frozen=True, kw_only=True):
    """How the hook went."""

    exit_code: int | None
    """None where it could not be started or did not end within its time. Negative: the signal."""
    error: str | None
    """Why it did not do its work, as far as that is known."""
    output: bytes
    """The end of what it printed."""


def run(settings: Supervised, home: Path) -> HookRun:
    """Run the hook. It never raises, takes hardly longer than `hook_seconds`, and leaves no process behind.

    It is called on a thread that lasts: the hook ends with the thread that started it, as with the sidecar.
    """
    mark = f"hook-{uuid.uuid4().hex}"
    argv = [sys.executable, "-P", "-c", _CODE, _ROOT, *settings.cancel_hook]
    environment = {**os.environ, "DESKWATCH_HOME": str(home), "DESKWATCH_BOT": settings.bot, MARK: mark}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        return HookRun(exit_code=None, error=f"it can't be started: {error.strerror}", output=b"")
    with process:
        assert process.stdout is not None  # noqa: S101  it was asked for
        os.set_blocking(process.stdout.fileno(), False)
        output = bytearray()
        deadline = time.monotonic() + settings.hook_seconds
        while (code := process.poll()) is None and time.monotonic() < deadline:
            if not _take(process.stdout.fileno(), output, LOOK_SECONDS):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        processes.kill_marked(MARK, mark)
        while _take(process.stdout.fileno(), output, 0):
            pass
    return HookRun(exit_code=code, error=_trouble(code, settings.hook_seconds), output=bytes(output))


def _trouble(code: int | None, seconds: float) -> str | None:
    if code is None:
        return f"it did not end within {seconds:g} s"
    return f"it ended with exit code {code}" if code else None


def _take(fd: int, output: bytearray, seconds: float) -> bool:
    """Wait a while for output; whether some came."""
    if not select.select([fd], [], [], seconds)[0]:
        return False
    try:
        chunk = os.read(fd, 65536)
    except BlockingIOError:
        return False
    output += chunk
    del output[:-OUTPUT_BYTES]
    return bool(chunk)
