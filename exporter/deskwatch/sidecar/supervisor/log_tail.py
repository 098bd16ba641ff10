"""The last lines of a bot's output, fit to be shown: bounded, secrets scrubbed, nothing left that a terminal obeys."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import msgspec

from deskwatch.harmless import harmless
from deskwatch.scrub import scrub

TAIL_BYTES = 256 * 1024
"""How far back from its end a file is read."""
MAX_LINE_BYTES = 16 * 1024
"""What is looked at of a line."""
MAX_LINE = 4096
"""Characters that are shown of a line: far fewer than are looked at, so that no secret is cut and then not known."""
LAST_LINES = 10
LAST_LINE = 500
"""Lines that are journaled of what has ended, and the characters of each."""
NOT_SHOWN = "[earlier output is not shown]"
_COLOURS = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\0")
"""Control sequences of a terminal (ECMA-48), and NULs."""


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """One of the rotated files."""

    file: int
    """0 is being written, 1 is the one before."""
    bytes: int


def path_of(home: Path, bot: str, file: int = 0) -> Path:
    """A file of a bot's output."""
    return home / "logs" / (f"{bot}.log.{file}" if file else f"{bot}.log")


def files(home: Path, bot: str, most: int) -> list[LogFile]:
    """The files that are there, the newest first."""
    found = []
    for number in range(most):
        with contextlib.suppress(OSError):
            found.append(LogFile(file=number, bytes=path_of(home, bot, number).stat().st_size))
    return found


def tail(home: Path, bot: str, lines: int, file: int | None = None, *, longest: int = MAX_LINE) -> list[str]:
    """The last lines of one file; without `file`, of the newest two as if they were one. Empty where there is none."""
    if file is not None:
        data, is_whole = _end(path_of(home, bot, file), TAIL_BYTES)
    else:
        data, is_whole = _end(path_of(home, bot), TAIL_BYTES)
        if is_whole and data.count(b"\n") < lines:
            before, is_whole = _end(path_of(home, bot, 1), TAIL_BYTES - len(data))
            data = before + data
    found = data.split(b"\n")
    if not found[-1]:
        found.pop()
    if not is_whole and found:  # the first begins somewhere: what makes a secret known may be before
        found.pop(0)
        if len(found) < lines:
            return [NOT_SHOWN, *(shown(line, longest) for line in found)]
    return [shown(line, longest) for line in found[-lines:]]


def last_lines(home: Path, bot: str) -> list[str]:
    """The bot's last words, short enough for its journal."""
    return tail(home, bot, LAST_LINES, longest=LAST_LINE)


def last_words(output: bytes) -> list[str]:
    """The end of some output, as short."""
    return [shown(line, LAST_LINE) for line in output.splitlines()[-LAST_LINES:]]


def _end(path: Path, most: int) -> tuple[bytes, bool]:
    """The end of a file, and whether that is all of it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            return file.read(most), size <= most
    except OSError:
        return b"", True


def shown(line: bytes, longest: int = MAX_LINE) -> str:
    """A line as it is shown."""
    plain = _COLOURS.sub(b"", line[:MAX_LINE_BYTES].rstrip(b"\r"))  # they'd stand between a secret's name and its value
    text = harmless(scrub(plain.decode(errors="backslashreplace")))
    return text if len(text) <= longest and len(line) <= MAX_LINE_BYTES else f"{text[:longest]}… [{len(line)} bytes]"
