"""What a keeper is told, and what it tells in `<home>/run/<bot>.json`."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.keeper.processes import Process

MARK = "DESKWATCH_KEPT"
"""Variable in the environment of all of a bot's processes: the id of its start."""


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one keeper."""

    bot: str
    """The bot's name, which it finds in DESKWATCH_BOT."""
    home: str
    """Folder of all journals, which it finds in DESKWATCH_HOME."""
    start_id: str
    """Id of this start, found in the environment of all its processes."""
    detached: bool = False
    """Whether the bot goes on when the sidecar is gone."""
    grace_seconds: float = 10.0
    """Between asking the bot to end and killing it."""
    log_bytes: int = 10 * 1024 * 1024
    """Size at which an output file is full."""
    log_files: int = 5
    """Output files that are kept, the one being written among them."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How the bot's process ended."""

    exit_code: int
    """Negative: the signal."""
    at: float
    """Unix time."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the file: who keeps which process, and how that ended once it did."""

    start_id: str
    keeper: Process
    bot: Process
    detached: bool
    command_hash: str
    """SHA-256 of the command: the command itself may hold a secret."""
    started_at: float
    """Unix time."""
    ended: Ended | None = None


def path_of(home: Path, bot: str) -> Path:
    """Where a bot's keeper tells of it."""
    return home / "run" / f"{bot}.json"


def load(home: Path, bot: str) -> Kept | None:
    """What a bot's newest keeper told; None where there was none or it can't be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path_of(home, bot).read_bytes(), type=Kept)
    return None


def save(home: Path, bot: str, kept: Kept) -> None:
    """Tell of a bot.

    Raises:
        OSError: The system refused; what was told before stands.
    """
    path = path_of(home, bot)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    atomic.write(path, msgspec.json.encode(kept) + b"\n")


def lock(home: Path, bot: str) -> int:
    """Be the bot's only keeper until the descriptor is closed, or the process ends.

    Raises:
        BlockingIOError: Another keeps it.
        OSError: The file can't be made.
    """
    path = path_of(home, bot).with_suffix(".lock")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_locked(home: Path, bot: str) -> bool:
    """Whether a keeper of the bot is there, also one that has told nothing yet."""
    try:
        os.close(lock(home, bot))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def hash_of(command: list[str]) -> str:
    """What tells one command from another."""
    return hashlib.sha256("\0".join(command).encode(errors="surrogateescape")).hexdigest()
