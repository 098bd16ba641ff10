"""`deskwatch run` as its users start it, and what is left of the bot's processes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deskwatch.keeper import processes
from tests.running import Http, free_port, process
from tests.waiting import eventually

SECONDS = 30.0
"""Patience with a machine that does something else too."""
UP = "import os, signal, subprocess, sys, time; os.write(1, b'up\\n'); "
LAST = UP + "time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LAST
TREE = (
    "import os, time\n"
    "for n in range(20):\n"
    "    if os.fork() == 0:\n"
    "        if n % 2: os.setsid()\n"
    "        if n % 4 == 3 and os.fork(): os._exit(0)\n"
    "        os.write(1, b'up\\n')\n"
    "        time.sleep(600)\n"
    "        os._exit(0)\n"
    "time.sleep(600)\n"
)
"""Twenty children, half of them in sessions of their own, some of those orphans."""
BOT = (
    "import os\n"
    "from deskwatch import Mode, Recorder\n"
    "recorder = Recorder.open(os.environ['DESKWATCH_BOT'], mode=Mode.ACTIVE)\n"
    "os.write(1, b'up\\n')\n"
    "while True:\n"
    "    recorder.mode\n"
    "    recorder.next_command(timeout_seconds=0.1)\n"
)


class Supervising(Http):
    """A running `deskwatch run`."""

    def __init__(self, url: str, home: Path, child: subprocess.Popen[bytes]) -> None:
        super().__init__(url, home)
        self.child = child

    def process(self) -> Any:
        """The process document."""
        return self.get("/bots/arb-1/process")

    def process_when(self, condition: Callable[[Any], bool]) -> Any:
        """The process document, once it is as it shall be."""

        def look() -> Any:
            document = self.process()
            return condition(document) and document

        return eventually(look, SECONDS)

    def act(self, action: str, reason: str | None = None) -> Any:
        """Ask for an action, and have it done."""
        path = f"/bots/arb-1/process/{action}"
        status, _, body = self.request("POST", path, {"reason": reason}, token=self.token)
        assert status == 200, body
        return json.loads(body)

    def up(self, times: int = 1) -> None:
        """Wait until the bot has said so often that it is up."""
        eventually(lambda: output(self.home).count(b"up\n") >= times, SECONDS)


@contextlib.contextmanager
def supervising(home: Path, code: str, *flags: str) -> Iterator[Supervising]:
    """`deskwatch run` on a bot that is some Python."""
    port = free_port()
    home.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "deskwatch", "run", "--home", str(home), "--port", str(port), "--bot", "arb-1"]
    with process([*argv, *flags, "--", sys.executable, "-c", code], home.parent / "run.out") as child:
        running = Supervising(f"http://127.0.0.1:{port}", home, child)
        eventually(lambda: running.try_get("/readyz"), SECONDS)
        yield running


def files(home: Path) -> list[Path]:
    """The bot's output, the oldest first."""
    older = sorted((home / "logs").glob("arb-1.log.*"), key=lambda one: -int(one.suffix[1:]))
    return [one for one in [*older, home / "logs" / "arb-1.log"] if one.exists()]


def output(home: Path) -> bytes:
    """All that is kept of the bot's output, while no file is renamed."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return b"".join(one.read_bytes() for one in files(home))


def size(home: Path) -> int:
    """Bytes of all that is kept of the bot's output."""
    with os.scandir(home / "logs") as entries:
        found = [entry.path for entry in entries]
    total = 0
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            total += Path(path).stat().st_size
    return total


def left(home: Path) -> list[processes.Process]:
    """The bot's processes, whoever is their parent. The keeper is none of them."""
    return [one for one in processes.marked("DESKWATCH_HOME", str(home)) if one.pid != os.getpid()]
