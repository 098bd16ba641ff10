"""Processes by id and start, so that an id that was given to another is never signalled; and the tree below one.

Read from /proc. Where there is none, nothing is known to be below a process, and its group alone is signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import msgspec

PROC = Path("/proc")
ROUNDS = 50
"""How often a tree is looked at anew while it still grows."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process, whatever its id is given to later."""

    pid: int
    started: int | None
    """Start in clock ticks since the machine's; None where the system doesn't tell."""
    boot: str | None
    """Which start of the machine that was."""

    @property
    def is_there(self) -> bool:
        """Whether it exists; a zombie does not count."""
        return _look(self.pid) == self


class _Stat(msgspec.Struct, frozen=True):
    state: str
    parent: int
    started: int


def this() -> Process:
    """The calling process."""
    found = _look(os.getpid())
    return found if found is not None else Process(pid=os.getpid(), started=None, boot=None)


def of(pid: int) -> Process:
    """A child that was not waited for yet, zombie or not."""
    stat = _stat(pid)
    return Process(pid=pid, started=stat.started if stat is not None else None, boot=_boot())


def below(root: int) -> list[Process]:
    """All that a process started and all that those did, as far as they are there now. Zombies are left out."""
    stats = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    children: dict[int, list[int]] = {}
    for pid, stat in stats.items():
        children.setdefault(stat.parent, []).append(pid)
    found, ahead = [], list(children.get(root, ()))
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += children.get(pid, ())
    boot = _boot()
    return [Process(pid=pid, started=stats[pid].started, boot=boot) for pid in found if stats[pid].state not in "ZX"]


def marked(name: str, value: str) -> list[Process]:
    """All processes of this user that have a variable of this value in their environment."""
    wanted = f"{name}={value}".encode()
    found = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            if wanted in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(_look(pid))
    return [one for one in found if one is not None]


def send(process: Process, number: signal.Signals) -> bool:
    """Signal a process if it is the one that is meant; whether it was."""
    if not hasattr(os, "pidfd_open"):
        if process.is_there:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
                return True
        return False
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        if not process.is_there:  # looked at while the descriptor holds it: the id can't be another's in between
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def kill_below(root: Process, *, seconds: float = 2.0) -> bool:
    """Kill all that is below a process, and not the process itself; whether nothing is left.

    All are stopped before any is killed, and looked for again until none is new, so that none starts another meanwhile
    that isn't seen.
    """
    deadline = time.monotonic() + seconds
    while True:
        _freeze(root)
        found = below(root.pid) if root.is_there else []
        for process in found:
            send(process, signal.SIGKILL)
        if not found:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)  # the kernel ends them


def kill_marked(name: str, value: str, *, seconds: float = 2.0) -> bool:
    """Kill all that bear a mark, as `kill_below` does; whether nothing is left."""
    deadline = time.monotonic() + seconds
    while found := marked(name, value):
        for process in found:
            send(process, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)  # the kernel ends them
    return True


def _freeze(root: Process) -> None:
    frozen: set[Process] = set()
    for _ in range(ROUNDS):
        fresh = set(below(root.pid)) - frozen if root.is_there else set()
        if not fresh:
            return
        for process in fresh:
            send(process, signal.SIGSTOP)
        frozen |= fresh


def _look(pid: int) -> Process | None:
    stat = _stat(pid)
    if stat is None:
        if PROC.exists() or not _exists(pid):
            return None
        return Process(pid=pid, started=None, boot=None)
    return None if stat.state in "ZX" else Process(pid=pid, started=stat.started, boot=_boot())


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: int) -> _Stat | None:
    """See proc_pid_stat(5): state, parent and start are the fields 3, 4 and 22; the name may hold anything."""
    try:
        with open(PROC / str(pid) / "stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return _Stat(fields[0].decode(), int(fields[1]), int(fields[19])) if len(fields) > 19 else None


def _pids() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]
    return []


def _boot() -> str | None:
    with contextlib.suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return None
