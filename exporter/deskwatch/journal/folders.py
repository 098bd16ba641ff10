"""Folders on disk: a new entry is as durable as the folder that lists it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

_CANT_BE_SYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM}
"""A filesystem that syncs no folders, or a folder above ours that we may not read: nothing that a new try mends."""


def make(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns the folders that got a new entry, which are to be synced.

    Raises:
        OSError: The system refused.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):
            one.mkdir(mode=0o700)
        if not one.is_dir():
            raise NotADirectoryError(errno.EEXIST, os.strerror(errno.EEXIST), str(one))
    return [one.parent for one in missing]


def sync(folder: Path) -> None:
    """Put a folder's entries on disk, by a descriptor of its own that is never used again.

    Raises:
        OSError: The disk refused. A folder that is gone, or that can't be synced at all, is no error.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno not in _CANT_BE_SYNCED:
            raise
