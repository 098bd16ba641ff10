"""Where lines go that a sink can't deliver: kept with the reason, never dropped in silence."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_encoder = msgspec.json.Encoder()


class Quarantine:
    """`<home>/sinks/<name>.quarantine.ndjson`: one JSON object for each line, `{"bot","writer","reason","line"}`."""

    def __init__(self, home: Path, name: str) -> None:
        self.path = home / "sinks" / f"{name}.quarantine.ndjson"

    def put(self, bot: str, writer: str, line: bytes, reason: str) -> None:
        """Append one line and put it on disk.

        Raises:
            OSError: The disk refused; the line is not quarantined.
        """
        row = {"bot": bot, "writer": writer, "reason": reason, "line": line.decode(errors="backslashreplace")}
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, _encoder.encode(row) + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
