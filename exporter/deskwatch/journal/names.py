"""Where a journal's files lie: `<home>/journal/<bot>/<writer>/<first seq, 20 digits>.ndjson`."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from deskwatch.errors import ConfigError
from deskwatch.journal import folders, mounts

CONTROL = "control"
"""The sidecar's writer in every bot's journal."""
MAIN = "main"
"""The bot's writer, unless it names others."""
SIDECAR = "_sidecar"
"""The journal of what concerns no single bot (refused sign-ins, tokens)."""
BEAT = "sidecar.beat"
"""In the home: a file that the sidecar touches each second."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SEGMENT = re.compile(r"(\d{20})\.ndjson")


def check_name(what: str, name: str) -> str:
    """The name of a bot or a writer, if it can be a folder's and a label's.

    Raises:
        ConfigError: It is empty, too long, or holds anything but letters, digits, `.`, `_` and `-`.
    """
    if name == SIDECAR or _NAME.fullmatch(name):
        return name
    raise ConfigError(
        f"expected the {what} to be 1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit, "
        f"was {name!r}"
    )


def default_home() -> Path:
    """`DESKWATCH_HOME`, else `.deskwatch` in the working folder."""
    return Path(os.environ.get("DESKWATCH_HOME") or ".deskwatch")


def prepare_home(home: Path) -> Path:
    """Make the home folder, readable by its owner only, and return its absolute path.

    Raises:
        ConfigError: It lies on a network filesystem, and the environment doesn't allow that.
        OSError: It can't be made.
    """
    home = home.absolute()
    mounts.check(home)
    for changed in folders.make(home):
        folders.sync(changed)
    return home


def journal_root(home: Path) -> Path:
    """The folder that holds a folder for each bot."""
    return home / "journal"


def writer_folder(home: Path, bot: str, writer: str) -> Path:
    """The folder of one writer's segments."""
    return journal_root(home) / check_name("bot's name", bot) / check_name("writer's name", writer)


def segment_name(first_seq: int) -> str:
    """The file name of the segment whose first line has this `seq`."""
    return f"{first_seq:020d}.ndjson"


def is_segment(name: str) -> bool:
    """Whether a file of this name is a segment."""
    return _SEGMENT.fullmatch(name) is not None


def segments(folder: Path) -> list[int]:
    """First `seq` of each segment in a writer's folder, oldest first. Empty where there is no such folder."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    return sorted(int(match[1]) for name in names if (match := _SEGMENT.fullmatch(name)))


def sizes(folder: Path) -> dict[int, int]:
    """Bytes of each segment in a writer's folder, oldest first; one that is removed meanwhile is left out."""
    found = {}
    for first_seq in segments(folder):
        with contextlib.suppress(FileNotFoundError):
            found[first_seq] = (folder / segment_name(first_seq)).stat().st_size
    return found


def bots(home: Path) -> list[str]:
    """Every bot that has a folder, in order of name; folders with other names are passed over."""
    return [name for name in _folders(journal_root(home)) if name == SIDECAR or _NAME.fullmatch(name)]


def writers(home: Path, bot: str) -> list[str]:
    """Every writer of a bot that has a folder, in order of name."""
    return [name for name in _folders(journal_root(home) / bot) if _NAME.fullmatch(name)]


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
