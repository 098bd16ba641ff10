"""Keeping one bot: its start, its output, its end, and the end of all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import selectors
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from deskwatch.keeper import keeping as keeping_module
from deskwatch.keeper import processes
from deskwatch.keeper.keeping import MARK, Ended, Keeping, Kept
from deskwatch.keeper.output import Output

CHUNK_BYTES = 64 * 1024
PIPE_BYTES = 1024 * 1024
"""What a bot can print while the keeper waits for a disk."""
KILL_AGAIN_SECONDS = 0.5
"""Between two tries to kill what does not end."""
EXIT_NOT_FOUND = 127
EXIT_NO_SIDECAR = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_HANDLED = (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP)


class Keeper:
    """Runs a command in a session of its own, and ends when it and all that it started has."""

    def __init__(self, keeping: Keeping, command: list[str]) -> None:
        self._keeping = keeping
        self._command = command
        self._home = Path(keeping.home)
        self._output = Output(self._home / "logs" / f"{keeping.bot}.log", keeping.log_bytes, keeping.log_files)
        self._selector = selectors.DefaultSelector()
        self._asked = False
        self._deadline: float | None = None
        """When what is left is killed; None while nothing has to end."""
        self._bot = 0
        self._status: int | None = None
        self._kept: Kept | None = None

    def run(self) -> int:
        """Start the command and wait until nothing of it is left; its exit code, negative for a signal.

        Raises:
            OSError: Another keeper runs this bot, or the system refuses a process.
        """
        self._lock = keeping_module.lock(self._home, self._keeping.bot)  # until the process ends
        if not self._keeping.detached and _has_ended(0):
            return EXIT_NO_SIDECAR
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in _HANDLED:
            signal.signal(number, self._signalled)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        printed = self._start()
        self._tell()
        self._selector.register(woken, selectors.EVENT_READ, lambda: _empty(woken))
        self._selector.register(printed, selectors.EVENT_READ, lambda: self._take(printed))
        if not self._keeping.detached:
            self._selector.register(0, selectors.EVENT_READ, self._look_at_sidecar)
        while not self._is_over():
            for key, _ in self._selector.select(self._patience()):
                act: Callable[[], object] = key.data
                act()
            if self._asked:
                self._asked = False
                self._ask_to_end()
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._deadline = time.monotonic() + KILL_AGAIN_SECONDS
                processes.kill_below(processes.this(), seconds=KILL_AGAIN_SECONDS)
        while printed in self._selector.get_map() and self._take(printed):
            pass
        self._output.close()
        code = os.waitstatus_to_exitcode(self._status or 0)
        self._save(Ended(exit_code=code, at=time.time()))
        return code

    def _start(self) -> int:
        """Start the command; the descriptor of what it prints."""
        printed, prints = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(printed, False)
        _widen(prints)
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)  # none is lost in the child before it becomes the command
        self._bot = os.fork()
        if self._bot == 0:
            self._become(prints)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        os.close(prints)
        return printed

    def _become(self, prints: int) -> NoReturn:
        try:
            keeper = os.getppid()
            os.setsid()
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # without its keeper nobody would see it end
            if os.getppid() != keeper:
                os._exit(1)
            for number in (*_HANDLED, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(prints, 1)
            os.dup2(prints, 2)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
            own = {"DESKWATCH_HOME": self._keeping.home, "DESKWATCH_BOT": self._keeping.bot}
            os.execvpe(self._command[0], self._command, {**os.environ, **own, MARK: self._keeping.start_id})  # noqa: S606  becoming the command is the point
        except OSError as error:
            os.write(2, f"deskwatch: {self._command[0]} can't be run: {error.strerror}\n".encode())
        finally:
            os._exit(EXIT_NOT_FOUND)

    def _tell(self) -> None:
        """Tell the sidecar, and whatever sidecar comes later, who runs."""
        self._kept = Kept(
            start_id=self._keeping.start_id,
            keeper=processes.this(),
            bot=processes.of(self._bot),
            detached=self._keeping.detached,
            command_hash=keeping_module.hash_of(self._command),
            started_at=time.time(),
        )
        self._save(None)
        with contextlib.suppress(OSError):  # the sidecar may be gone already
            os.write(1, msgspec.json.encode(self._kept) + b"\n")
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        for fd in (1, 2):
            os.dup2(nowhere, fd)

    def _save(self, ended: Ended | None) -> None:
        if self._kept is not None:
            try:
                keeping_module.save(self._home, self._keeping.bot, msgspec.structs.replace(self._kept, ended=ended))
            except OSError as error:
                self._output.write(f"deskwatch: {self._keeping.bot}'s state could not be saved: {error}\n".encode())

    def _signalled(self, number: int, _: object) -> None:
        self._asked = self._asked or number == signal.SIGTERM

    def _look_at_sidecar(self) -> None:
        if not os.read(0, 1):
            self._selector.unregister(0)
            self._asked = True

    def _take(self, printed: int) -> bool:
        """Take in what was printed; whether there may be more."""
        try:
            data = os.read(printed, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(printed)
            return False
        self._output.write(data)
        return True

    def _ask_to_end(self) -> None:
        """SIGTERM to the bot's group, and SIGCONT so that a stopped one hears it."""
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self._keeping.grace_seconds
        for number in (signal.SIGTERM, signal.SIGCONT):
            if self._status is not None:
                return  # its id may be another's by now
            try:
                os.killpg(self._bot, number)
            except ProcessLookupError:  # it has no group yet
                os.kill(self._bot, number)

    def _is_over(self) -> bool:
        """Wait for what has ended; whether nothing is left. What outlives the bot itself is asked to end too."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self._bot:
                    self._status = status
                    self._ask_others_to_end()
        except ChildProcessError:
            return True
        return False

    def _ask_others_to_end(self) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._keeping.grace_seconds
        for process in processes.below(os.getpid()):
            processes.send(process, signal.SIGTERM)
            processes.send(process, signal.SIGCONT)

    def _patience(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def _has_ended(pipe: int) -> bool:
    """Whether nobody holds the other end."""
    return bool(select.select([pipe], [], [], 0)[0]) and not os.read(pipe, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # over the user's limit: the usual 64 KiB, then
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _empty(pipe: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(pipe, 4096)
