"""The lock that keeps a second writer of one name out."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from deskwatch.errors import WriterLocked


def take(folder: Path) -> int:
    """Lock a writer's folder for this process; returns the descriptor that holds the lock until it is closed.

    Raises:
        WriterLocked: Another process holds it; the message names it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(fd, 256, 0).decode(errors="replace").strip()
        os.close(fd)
        raise WriterLocked(str(folder), holder) from None
    except OSError:
        os.close(fd)
        raise
    return fd
