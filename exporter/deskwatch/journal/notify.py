"""Being woken by the kernel when a journal grows: inotify on Linux, polling elsewhere.

Written with ctypes because a bot's side has no dependency but msgspec (see docs/decisions/0003-inotify.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import struct
import sys
import time
from pathlib import Path

_IN_MODIFY = 0x2
_IN_CREATE = 0x100
_IN_MOVED_TO = 0x80
_IN_Q_OVERFLOW = 0x4000
_APPEARED = _IN_CREATE | _IN_MOVED_TO | _IN_Q_OVERFLOW
_EVENT = struct.Struct("iIII")
_IN_NONBLOCK = 0o4000
_IN_CLOEXEC = 0o2000000
POLL_SECONDS = 0.02
"""How often to look where the kernel doesn't tell."""


class Notifier:
    """Tells which of the watched folders changed; not what in them.

    `fileno()` becomes readable on a change, or is -1 where there is no inotify and the caller has to poll.

    Attributes:
        changed: Folders that changed, as told by `drain`; whoever looks at one takes it out.
    """

    def __init__(self) -> None:
        self._fd = -1
        self._woken = -1
        self._watched: dict[Path, int] = {}
        self._folders: dict[int, Path] = {}
        self.changed: set[Path] = set()
        self._libc: ctypes.CDLL | None = None

    def open(self) -> Notifier:
        """Ask the kernel for an inotify descriptor; without one, `wait` polls."""
        if sys.platform == "linux":
            libc = ctypes.CDLL(None, use_errno=True)
            self._fd = libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
            self._libc = libc
            if self._fd >= 0:
                self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        return self

    def fileno(self) -> int:
        """The descriptor to wait on, or -1."""
        return self._fd

    def watch(self, folder: Path) -> None:
        """Also tell of this folder. A folder that can't be watched makes the notifier poll."""
        if folder in self._watched or self._fd < 0 or self._libc is None:
            return
        mask = _IN_MODIFY | _IN_CREATE | _IN_MOVED_TO
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask)
        if number >= 0:
            self._watched[folder] = number
            self._folders[number] = folder
        elif os.path.isdir(folder):
            self.close()

    def drain(self) -> bool:
        """Forget the changes told so far; True if a file or folder appeared. Call it before looking, not after."""
        appeared = False
        while self._fd >= 0:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                appeared = appeared or bool(mask & _APPEARED)
                if mask & _IN_Q_OVERFLOW:
                    self.changed.update(self._watched)
                elif number in self._folders:
                    self.changed.add(self._folders[number])
                at += _EVENT.size + length
            if len(data) < 32768:
                break
        return appeared

    def wait(self, seconds: float) -> bool:
        """Block until something changed or `wake` was called (True), or the time is over (False)."""
        if self._fd < 0:
            time.sleep(min(seconds, POLL_SECONDS))
            return True
        poll = select.poll()  # not select: a bot may have more descriptors than that can hold
        poll.register(self._fd, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        ready = poll.poll(seconds * 1000)
        if ready:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._woken)
            self.drain()
        return bool(ready)

    def wake(self) -> None:
        """End a `wait` in another thread."""
        if self._woken >= 0:
            os.eventfd_write(self._woken, 1)

    def close(self) -> None:
        """Give the descriptors back."""
        for fd in (self._fd, self._woken):
            if fd >= 0:
                os.close(fd)
        self._fd = self._woken = -1
        self._watched.clear()
        self._folders.clear()
